//! The form on a terminal: its questions, and how a yes is understood.

/// Questions of the form.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) intro: &'static str,
    pub(crate) when: &'static str,
    pub(crate) when_help: &'static str,
    pub(crate) place: &'static str,
    pub(crate) place_help: &'static str,
    pub(crate) goods: &'static str,
    pub(crate) goods_other: &'static str,
    pub(crate) words: &'static str,
    pub(crate) quantity: &'static str,
    pub(crate) quantity_help: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) mode: &'static str,
    pub(crate) route_from: &'static str,
    pub(crate) route_to: &'static str,
    pub(crate) unknown_help: &'static str,
    pub(crate) recipients: &'static str,
    pub(crate) precedence: &'static str,
    pub(crate) tlp: &'static str,
    pub(crate) remarks: &'static str,
    pub(crate) send: &'static str,
    pub(crate) not_sent: &'static str,
    pub(crate) needed: &'static str,
    pub(super) yes_or_no: &'static str,
    pub(super) yes: &'static str,
    pub(super) no: &'static str,
    pub(crate) keys_one: &'static str,
    pub(crate) keys_many: &'static str,
}

impl Form {
    /// Asks a question that is answered with yes or no, in the reader's words.
    pub(crate) fn confirm(
        &self,
        question: &str,
        usual: bool,
    ) -> inquire::error::InquireResult<bool> {
        let word = |answer: bool| if answer { self.yes } else { self.no };
        let letter = |answer: bool| {
            let first = word(answer).chars().take(1);
            match answer == usual {
                true => first.flat_map(char::to_uppercase).collect::<String>(),
                false => first.collect(),
            }
        };
        inquire::Confirm::new(question)
            .with_default(usual)
            .with_parser(&yes)
            .with_formatter(&|answer| word(answer).to_owned())
            .with_default_value_formatter(&|_| format!("{}/{}", letter(true), letter(false)))
            .with_error_message(self.yes_or_no)
            .prompt()
    }
}

/// Yes or no in any of the four languages: they do not contradict one another.
pub(crate) fn yes(answer: &str) -> Result<bool, ()> {
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" | "s" | "si" | "sí" | "o" | "oui" | "j" | "ja" => Ok(true),
        "n" | "no" | "non" | "nee" => Ok(false),
        _ => Err(()),
    }
}
