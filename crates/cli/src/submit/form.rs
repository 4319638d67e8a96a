//! The short form as questions on a terminal: about a minute.

use super::{Input, accepted, files, placed, send};
use crate::{
    CliError, Exit, Ui,
    args::SeizureArgs,
    texts::{Errors, Form, fill},
};
use abeng_api::{Client, PartyView};
use abeng_notice::{
    Lang,
    codes::{self, CodeList},
};
use inquire::{
    InquireError, MultiSelect, Select, Text,
    list_option::ListOption,
    ui::RenderConfig,
    validator::{ErrorMessage, Validation},
};
use std::{fmt, process::ExitCode};

/// Rows of a list shown at once.
const ROWS: usize = 8;

/// Asks, shows what the node would say, asks whether to send, and sends.
pub(super) async fn ask(
    mut args: SeizureArgs,
    client: &Client,
    ui: &Ui,
) -> Result<ExitCode, CliError> {
    // First, so that nobody fills in a form that cannot be sent.
    let parties = client.parties().await?;
    let form = &ui.texts().form;
    if !ui.colour {
        inquire::set_global_render_config(RenderConfig::empty());
    }
    ui.remark(form.intro);
    let answered = questions(&mut args, &parties, form, ui.lang);
    if !done(answered, form, ui)? {
        return Ok(Exit::Usage.into());
    }
    let mut input = Input::read(&args, ui)?;
    let files = files::look(&mut input, &args, ui)?;
    let mut request = input.request(&args, ui)?;
    if args.dry_run {
        return send(client, &request, &input, ui).await;
    }
    // What the node would say, before anything is sent.
    request.dry_run = true;
    let reply = client.submit(&request).await;
    let reply = reply.map_err(|e| placed(CliError::from(e), &input, ui))?;
    ui.remark(&accepted(&reply, ui));
    let sure = form.confirm(form.send, true);
    match sure {
        Ok(true) => {}
        Ok(false) => {
            ui.remark(form.not_sent);
            return Ok(Exit::Usage.into());
        }
        Err(e) => {
            done(Err(e), form, ui)?;
            return Ok(Exit::Usage.into());
        }
    }
    files::give(&files, &mut input, client, ui).await?;
    let request = input.request(&args, ui)?;
    send(client, &request, &input, ui).await
}

/// Whether the questions were answered; leaving the form is no error.
fn done(answered: Result<(), InquireError>, form: &Form, ui: &Ui) -> Result<bool, CliError> {
    let words = Errors::of(ui.error_lang());
    match answered {
        Ok(()) => Ok(true),
        Err(InquireError::OperationCanceled | InquireError::OperationInterrupted) => {
            ui.remark(form.not_sent);
            Ok(false)
        }
        Err(e) => Err(
            CliError::internal(fill(words.terminal, &[("why", &e.to_string())]))
                .with_try(words.use_options),
        ),
    }
}

/// A code with its name in the reader's language.
struct Choice {
    code: &'static str,
    name: &'static str,
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A recipient.
struct Recipient(PartyView);

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = abeng_notice::printable(&self.0.name);
        write!(f, "{}  {name}", self.0.code)
    }
}

fn choices(list: CodeList, lang: Lang) -> Vec<Choice> {
    let codes = codes::codes(list).iter();
    codes
        .map(|c| Choice {
            code: c.code,
            name: c.name(lang),
        })
        .collect()
}

fn questions(
    args: &mut SeizureArgs,
    parties: &[PartyView],
    form: &'static Form,
    lang: Lang,
) -> Result<(), InquireError> {
    let needed = |question: &'static str, help: &'static str| {
        let text = match help {
            "" => Text::new(question),
            help => Text::new(question).with_help_message(help),
        };
        text.with_validator(|text: &str| {
            Ok(if text.trim().is_empty() {
                Validation::Invalid(ErrorMessage::Custom(form.needed.to_owned()))
            } else {
                Validation::Valid
            })
        })
    };
    let short = &mut args.short;
    let today = jiff::Timestamp::now().to_string();
    let today = today.get(..10).unwrap_or_default();
    short.when = Some(
        needed(form.when, form.when_help)
            .with_default(today)
            .prompt()?,
    );
    short.place = Some(needed(form.place, form.place_help).prompt()?);
    let mut goods = choices(CodeList::Drug, lang);
    goods.insert(
        0,
        Choice {
            code: "",
            name: form.goods_other,
        },
    );
    let goods = Select::new(form.goods, goods)
        .with_starting_cursor(1)
        .with_page_size(ROWS)
        .with_help_message(form.keys_one)
        .prompt()?;
    if goods.code.is_empty() {
        short.description = Some(needed(form.words, "").prompt()?);
    } else {
        short.drug = Some(goods.code.to_owned());
    }
    let quantity = needed(form.quantity, form.quantity_help).prompt()?;
    if !quantity.trim().eq_ignore_ascii_case("unknown") {
        let units = choices(CodeList::Unit, lang);
        let kg = units.iter().position(|unit| unit.code == "KGM");
        let unit = Select::new(form.unit, units)
            .with_starting_cursor(kg.unwrap_or(0))
            .with_page_size(ROWS)
            .with_help_message(form.keys_one)
            .prompt()?;
        short.unit = Some(unit.code.to_owned());
    }
    short.quantity = Some(quantity);
    let mode = Select::new(form.mode, choices(CodeList::Mode, lang))
        .with_page_size(ROWS)
        .with_help_message(form.keys_one)
        .prompt()?;
    short.mode = Some(mode.code.to_owned());
    short.route_from = Some(needed(form.route_from, form.unknown_help).prompt()?);
    short.route_to = Some(needed(form.route_to, form.unknown_help).prompt()?);
    if args.to.is_empty() {
        let others = parties.iter().filter(|p| p.active && !p.own).cloned();
        let chosen = MultiSelect::new(form.recipients, others.map(Recipient).collect())
            .with_page_size(ROWS)
            .with_help_message(form.keys_many)
            .with_validator(|chosen: &[ListOption<&Recipient>]| {
                Ok(if chosen.is_empty() {
                    Validation::Invalid(ErrorMessage::Custom(form.needed.to_owned()))
                } else {
                    Validation::Valid
                })
            })
            .prompt()?;
        args.to = chosen
            .into_iter()
            .map(|recipient| recipient.0.code)
            .collect();
    }
    if args.precedence.is_none() {
        let words = vec!["ROUTINE", "PRIORITY", "IMMEDIATE", "FLASH"];
        // A seizure is PRIORITY unless somebody says otherwise.
        let chosen = Select::new(form.precedence, words)
            .with_starting_cursor(1)
            .with_help_message(form.keys_one)
            .prompt()?;
        args.precedence = Some(chosen.to_owned());
    }
    let labels = vec!["AMBER", "AMBER+STRICT", "RED", "GREEN", "CLEAR"];
    let label = Select::new(form.tlp, labels)
        .with_help_message(form.keys_one)
        .prompt()?;
    args.short.tlp = Some(label.to_owned());
    let remarks = Text::new(form.remarks).prompt()?;
    args.short.remarks = Some(remarks).filter(|text| !text.trim().is_empty());
    Ok(())
}
