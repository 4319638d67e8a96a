use abeng_wire::Millis;
use jiff::{Timestamp, civil, tz::Offset};

/// How much of a date is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Granularity {
    /// `2022`
    Year,
    /// `2022-09`
    Month,
    /// `2022-09-15`
    Day,
    /// `2022-09-15T14:30:00Z`
    Moment,
}

/// Why a text is not a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DateFault {
    /// Not written as a date, or no such day.
    Unreadable,
    /// A time of day without its offset from UTC: an hour somewhere in four time zones.
    NoOffset,
}

/// A date as known: a year, a month, a day, or a moment. A day is the officer's local one and is
/// taken as a day in UTC.
///
/// Source: ISO 8601-1 reduced precision; moments as in RFC 3339.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeDate {
    granularity: Granularity,
    start: i64,
    end: i64,
}

impl NoticeDate {
    /// Reads `2022`, `2022-09`, `2022-09-15` or `2022-09-15T14:30Z` (also with a space, seconds or
    /// an offset).
    pub(crate) fn parse(text: &str) -> Result<Self, DateFault> {
        let text = text.trim();
        let digits = |range: &str| range.bytes().all(|b| b.is_ascii_digit());
        let number = |part: &str| -> Result<i16, DateFault> {
            if digits(part) {
                part.parse().map_err(|_| DateFault::Unreadable)
            } else {
                Err(DateFault::Unreadable)
            }
        };
        let parts: Vec<&str> = text.split('-').collect();
        match (parts.as_slice(), text.len()) {
            ([year], 4) => {
                let year = number(year)?;
                Self::days(Granularity::Year, day(year, 1, 1)?, day(year + 1, 1, 1)?)
            }
            ([year, month], 7) => {
                let (year, month) = (number(year)?, number(month)?);
                let next = if month == 12 {
                    day(year + 1, 1, 1)?
                } else {
                    day(year, month + 1, 1)?
                };
                Self::days(Granularity::Month, day(year, month, 1)?, next)
            }
            ([year, month, date], 10) => {
                let start = day(number(year)?, number(month)?, number(date)?)?;
                let next = start.tomorrow().map_err(|_| DateFault::Unreadable)?;
                Self::days(Granularity::Day, start, next)
            }
            _ => match text.parse::<Timestamp>() {
                Ok(moment) => {
                    let ms = moment.as_millisecond();
                    Ok(Self {
                        granularity: Granularity::Moment,
                        start: ms,
                        end: ms,
                    })
                }
                Err(_) if text.parse::<civil::DateTime>().is_ok() => Err(DateFault::NoOffset),
                Err(_) => Err(DateFault::Unreadable),
            },
        }
    }

    fn days(
        granularity: Granularity,
        start: civil::Date,
        next: civil::Date,
    ) -> Result<Self, DateFault> {
        let ms = |date: civil::Date| {
            Offset::UTC
                .to_timestamp(date.at(0, 0, 0, 0))
                .map(|t| t.as_millisecond())
                .map_err(|_| DateFault::Unreadable)
        };
        Ok(Self {
            granularity,
            start: ms(start)?,
            end: ms(next)?,
        })
    }

    /// How much is known.
    pub fn granularity(&self) -> Granularity {
        self.granularity
    }

    /// Its first millisecond, Unix time.
    pub fn start_ms(&self) -> i64 {
        self.start
    }

    /// The first millisecond after it (for a moment: itself); 0 for dates before 1970.
    pub fn end_ms(&self) -> Millis {
        Millis::try_from(self.end).unwrap_or(0)
    }

    /// As it travels: ISO 8601, moments in UTC.
    pub fn canonical(&self) -> String {
        let start = timestamp(self.start);
        let date = Offset::UTC.to_datetime(start).date();
        match self.granularity {
            Granularity::Year => format!("{:04}", date.year()),
            Granularity::Month => format!("{:04}-{:02}", date.year(), date.month()),
            Granularity::Day => date.to_string(),
            Granularity::Moment => start.to_string(),
        }
    }

    /// A moment as people read it: `2024-05-31 14:30 UTC`.
    pub fn moment(ms: Millis) -> String {
        let at = Offset::UTC.to_datetime(timestamp(i64::try_from(ms).unwrap_or(i64::MAX)));
        format!("{} {:02}:{:02} UTC", at.date(), at.hour(), at.minute())
    }

    /// A day as people write it: `2024-05-31`, in UTC.
    pub fn day_of(ms: Millis) -> String {
        Offset::UTC
            .to_datetime(timestamp(i64::try_from(ms).unwrap_or(i64::MAX)))
            .date()
            .to_string()
    }
}

fn day(year: i16, month: i16, date: i16) -> Result<civil::Date, DateFault> {
    let small = |n: i16| i8::try_from(n).map_err(|_| DateFault::Unreadable);
    civil::Date::new(year, small(month)?, small(date)?).map_err(|_| DateFault::Unreadable)
}

fn timestamp(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_of_every_granularity() {
        for (text, canonical) in [
            ("2022", "2022"),
            ("2022-09", "2022-09"),
            ("2022-12", "2022-12"),
            ("2024-02-29", "2024-02-29"),
            ("2024-05-31T14:30Z", "2024-05-31T14:30:00Z"),
            ("2024-05-31 14:30:10-05:00", "2024-05-31T19:30:10Z"),
        ] {
            assert_eq!(NoticeDate::parse(text).unwrap().canonical(), canonical);
        }
        for bad in [
            "",
            "soon",
            "2023-02-29",
            "2022-13",
            "22-09-01",
            "01/02/2022",
            "+022",
            "2022-9-1",
            "9999",
        ] {
            assert_eq!(NoticeDate::parse(bad), Err(DateFault::Unreadable), "{bad}");
        }
        assert_eq!(
            NoticeDate::parse("2024-05-31T14:30"),
            Err(DateFault::NoOffset)
        );
    }

    #[test]
    fn a_month_ends_where_the_next_begins() {
        let september = NoticeDate::parse("2022-09").unwrap();
        let october = NoticeDate::parse("2022-10-01").unwrap();
        assert_eq!(
            i64::try_from(september.end_ms()).unwrap(),
            october.start_ms()
        );
        assert_eq!(
            NoticeDate::moment(1_717_165_800_000),
            "2024-05-31 14:30 UTC"
        );
        assert_eq!(NoticeDate::day_of(1_717_165_800_000), "2024-05-31");
        assert!(!NoticeDate::moment(u64::MAX).is_empty());
    }

    proptest! {
        #[test]
        fn canonical_reads_back(ms in 0i64..250_000_000_000_000) {
            let text = timestamp(ms).to_string();
            let date = NoticeDate::parse(&text).unwrap();
            prop_assert_eq!(NoticeDate::parse(&date.canonical()).unwrap(), date);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,24}") {
            let _ = NoticeDate::parse(&text);
        }
    }
}
