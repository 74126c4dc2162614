//! The value of `--policy`: settings, or `help`, which lists them.

use std::ffi::OsStr;

use clap::builder::{StringValueParser, TypedValueParser};
use clap::{Arg, Command, Error};
use nmr_host::Policy;

/// Takes any text but `help`. What is wrong with it is said when it is put together with the seed.
#[derive(Clone)]
pub(super) struct PolicyText;

impl TypedValueParser for PolicyText {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, Error> {
        if value == "help" {
            return help();
        }
        StringValueParser::new().parse_ref(command, argument, value)
    }
}

/// The settings, as a request for help answers.
fn help() -> Result<String, Error> {
    let text = format!(
        "Settings of --policy, separated by commas. Of words the first is the default:\n\n{}\n",
        Policy::settings()
    );
    let lister = Command::new("policy").override_help(text);
    lister.try_get_matches_from(["policy", "--help"])?;
    Ok(String::new())
}
