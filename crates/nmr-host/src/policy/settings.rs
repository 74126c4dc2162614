//! The text form of a [`Policy`]: one table of its settings, from which the text is parsed, written and explained.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{Choice, Policy};

/// A field of a policy, as the text form has it.
struct Setting {
    key: &'static str,
    /// Whether the text names it even if it has its default.
    always: bool,
    /// Its values: words with the default first, or a description.
    values: fn() -> String,
    /// Its value. `None` if there is none.
    value: fn(&Policy) -> Option<String>,
    /// Sets it, or returns what is wrong with the word.
    set: fn(&mut Policy, &str) -> Result<(), UnknownSetting>,
}

macro_rules! choice {
    ($key:literal, $field:ident, always: $always:literal) => {
        Setting {
            key: $key,
            always: $always,
            values: || words_of(|policy| policy.$field),
            value: |policy| Some(policy.$field.word().to_owned()),
            set: |policy, word| {
                policy.$field = choose($key, word)?;
                Ok(())
            },
        }
    };
}

macro_rules! plain {
    ($key:literal, $field:ident, always: $always:literal, $values:literal) => {
        Setting {
            key: $key,
            always: $always,
            values: || $values.to_owned(),
            value: |policy| Some(policy.$field.to_string()),
            set: |policy, word| {
                policy.$field = parse($key, word)?;
                Ok(())
            },
        }
    };
}

macro_rules! milliseconds {
    ($key:literal, $field:ident, $values:literal) => {
        Setting {
            key: $key,
            always: false,
            values: || $values.to_owned(),
            value: |policy| policy.$field.map(|limit| limit.as_millis().to_string()),
            set: |policy, word| {
                policy.$field = Some(Duration::from_millis(parse($key, word)?));
                Ok(())
            },
        }
    };
}

const SETTINGS: &[Setting] = &[
    choice!("mode", mode, always: true),
    choice!("offers", offers, always: true),
    choice!("detach", detach_order, always: true),
    choice!("cleanup-order", cleanup_order, always: true),
    choice!("irql", detach_irql, always: true),
    choice!("cleanup", cleanup, always: true),
    choice!("early", early_completion, always: true),
    choice!("report", on_report, always: true),
    plain!("failed-client-cleanup", cleanup_failed_client, always: true, "false|true"),
    plain!("seed", seed, always: true, "NUMBER"),
    choice!("deregister", deregistration, always: false),
    choice!("verify", verify, always: false),
    choice!("memory", memory, always: false),
    choice!("sharing", sharing, always: false),
    plain!("fault", fault, always: false, "NUMBER (which call fails that may fail, from 1)"),
    milliseconds!(
        "slow-ms",
        slow,
        "NUMBER (how long a detach callback may take)"
    ),
    milliseconds!(
        "stall-ms",
        stall,
        "NUMBER (after how long a wait is printed, 0 for never; 10000)"
    ),
    milliseconds!(
        "watchdog-ms",
        watchdog,
        "NUMBER (after how long a wait is reported)"
    ),
];

fn words<T: Choice>(separator: &str) -> String {
    let words: Vec<_> = T::ALL.iter().map(|value| value.word()).collect();
    words.join(separator)
}

/// The words of a field, whose type is that of what the function returns.
fn words_of<T: Choice>(_: fn(&Policy) -> T) -> String {
    words::<T>("|")
}

fn choose<T: Choice>(key: &str, word: &str) -> Result<T, UnknownSetting> {
    let found = T::ALL.iter().find(|value| value.word() == word);
    found.copied().ok_or_else(|| {
        let words = words::<T>(", ");
        UnknownSetting(format!("{key} is one of {words}, not `{word}`"))
    })
}

fn parse<T: FromStr>(key: &str, word: &str) -> Result<T, UnknownSetting> {
    word.parse()
        .map_err(|_| UnknownSetting(format!("`{word}` is no value for {key}")))
}

/// A setting that does not exist, in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownSetting(String);

impl fmt::Display for UnknownSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UnknownSetting {}

impl Policy {
    /// Every setting of the text form with its values, one a line. Of words the first is the default.
    #[must_use]
    pub fn settings() -> String {
        let lines = SETTINGS
            .iter()
            .map(|setting| format!("{}={}", setting.key, (setting.values)()));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn set(&mut self, key: &str, word: &str) -> Result<(), UnknownSetting> {
        let Some(setting) = SETTINGS.iter().find(|setting| setting.key == key) else {
            let keys: Vec<_> = SETTINGS.iter().map(|setting| setting.key).collect();
            return Err(UnknownSetting(format!(
                "there is no setting `{key}`: use {}",
                keys.join(", ")
            )));
        };
        (setting.set)(self, word)
    }
}

/// Settings as `key=value`, separated by commas: `detach=provider-first,irql=dispatch`. What is not
/// named is as in [`Policy::default`].
impl FromStr for Policy {
    type Err = UnknownSetting;

    fn from_str(text: &str) -> Result<Self, UnknownSetting> {
        let mut policy = Self::default();
        for setting in text
            .split(',')
            .map(str::trim)
            .filter(|setting| !setting.is_empty())
        {
            let (key, word) = setting.split_once('=').ok_or_else(|| {
                UnknownSetting(format!("`{setting}` is not of the form key=value"))
            })?;
            policy.set(key.trim(), word.trim())?;
        }
        Ok(policy)
    }
}

/// The settings in the text form that parses back to this policy.
impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let default = Self::default();
        let mut comma = "";
        for setting in SETTINGS {
            let value = (setting.value)(self);
            if let Some(word) = &value
                && (setting.always || value != (setting.value)(&default))
            {
                write!(f, "{comma}{}={word}", setting.key)?;
                comma = ",";
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Deregistration, MemoryChecks, Sharing, Verify};

    #[test]
    fn the_text_form_parses_back() {
        for seed in 0..100 {
            let policy = Policy {
                watchdog: Some(Duration::from_millis(seed)),
                deregistration: Deregistration::ALL[(seed % 2) as usize],
                memory: MemoryChecks::ALL[(seed / 2 % 2) as usize],
                verify: Verify::ALL[(seed / 4 % 2) as usize],
                slow: Some(Duration::from_millis(seed + 1)),
                stall: (seed % 2 == 0).then(|| Duration::from_millis(seed)),
                sharing: Sharing::ALL[(seed % 3) as usize],
                ..Policy::from_seed(seed)
            };
            assert_eq!(policy.to_string().parse(), Ok(policy));
        }
        assert_eq!("".parse(), Ok(Policy::default()));
    }

    #[test]
    fn every_setting_takes_the_values_that_are_listed() {
        for line in Policy::settings().lines() {
            let (key, values) = line.split_once('=').unwrap();
            for value in values.split('|') {
                let value = if value.starts_with("NUMBER") {
                    "7"
                } else {
                    value
                };
                let set = format!("{key}={value}").parse::<Policy>();
                let text = set.unwrap().to_string();
                let named = text.contains(&format!("{key}={value}"));
                assert!(named || values.starts_with(value), "{text}");
            }
        }
    }

    #[test]
    fn a_wrong_setting_is_explained() {
        let error = |text: &str| text.parse::<Policy>().unwrap_err().to_string();
        assert_eq!(
            error("irql=high"),
            "irql is one of caller, dispatch, not `high`"
        );
        assert_eq!(
            error("detach=last"),
            "detach is one of client-first, provider-first, seeded, not `last`"
        );
        assert!(error("colour=red").starts_with("there is no setting `colour`: use mode, "));
        assert_eq!(error("strict"), "`strict` is not of the form key=value");
        assert_eq!(error("seed=x"), "`x` is no value for seed");
    }
}
