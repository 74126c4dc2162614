//! The options that make the modules of images call each other, and detach them meanwhile.

use clap::Args;
use driver_host::Request;
use serde_json::Value;

/// What makes modules call each other. A REQUEST is a control code and, after a colon, its input in
/// hexadecimal digits: 0x222004:01000000.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Exercise")]
pub(crate) struct ExerciseOptions {
    /// Control request that makes modules call each other; may be repeated. REQUEST is a control code and, after a colon, its
    /// input in hexadecimal digits
    #[arg(long, value_name = "REQUEST")]
    pub(crate) call: Vec<Request>,

    /// Control request that detaches a module, sent while a call is in flight
    #[arg(long, value_name = "REQUEST", requires = "call")]
    pub(crate) detach: Option<Request>,

    /// Control request that attaches it again
    #[arg(long, value_name = "REQUEST", requires = "detach")]
    pub(crate) attach: Option<Request>,

    /// Number of threads that send the requests of --call
    #[arg(long, value_name = "N", default_value_t = 2, requires = "call", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) threads: u32,

    /// Number of requests of each thread, for each detach
    #[arg(long, value_name = "N", default_value_t = 50, requires = "call", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) rounds: u32,

    /// Number of times that --detach and --attach are sent
    #[arg(long, value_name = "N", default_value_t = 3, requires = "attach", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) detaches: u32,
}

/// The most requests of a run.
const MOST_REQUESTS: u64 = 1_000_000;

impl ExerciseOptions {
    /// Returns `true` if anything is to be exercised.
    pub(crate) fn is_wanted(&self) -> bool {
        !self.call.is_empty()
    }

    /// Takes the requests from a package's table `metadata.nmr`, unless the command line has some: `call`, one or
    /// several, `detach` and `attach`.
    pub(crate) fn take(&mut self, settings: &Value) -> Result<(), String> {
        if self.is_wanted() {
            return Ok(());
        }
        let requests = |key: &str| -> Result<Vec<Request>, String> {
            let texts = match &settings[key] {
                Value::Null => return Ok(Vec::new()),
                Value::Array(texts) => texts.iter().collect(),
                text => vec![text],
            };
            let read = |text: &Value| {
                let text = text.as_str().ok_or("it is no text")?;
                text.parse::<Request>().map_err(|error| error.to_string())
            };
            let found = texts.into_iter().map(read).collect::<Result<_, String>>();
            found.map_err(|error| format!("{key} in [package.metadata.nmr]: {error}"))
        };
        self.call = requests("call")?;
        self.detach = requests("detach")?.pop();
        self.attach = requests("attach")?.pop();
        Ok(())
    }

    /// How often a module is detached. Without a request that attaches it again: once.
    pub(crate) fn detaches(&self) -> u32 {
        match (&self.detach, &self.attach) {
            (None, _) => 0,
            (Some(_), None) => 1,
            (Some(_), Some(_)) => self.detaches,
        }
    }

    /// Fails if there are too many requests.
    pub(crate) fn check(&self) -> Result<(), String> {
        let times = u64::from(self.detaches().max(1));
        let total = u64::from(self.threads) * u64::from(self.rounds) * times;
        if self.is_wanted() && total > MOST_REQUESTS {
            return Err(format!(
                "{} threads that send {} requests {times} times send {total}, more than {MOST_REQUESTS}",
                self.threads, self.rounds
            ));
        }
        Ok(())
    }
}
