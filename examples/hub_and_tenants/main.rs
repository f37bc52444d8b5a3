//! A hub on a real socket, and four tenants of it in one nursery. Alice posts to three others; Bob is cut off half-way and resumes,
//! Sloth stops reading and holds up nobody; then the hub drains. Each envelope must arrive exactly once, and in order.
//!
//! ```sh
//! cargo run --example hub_and_tenants                  # ends by itself, within ten seconds
//! cargo run --example hub_and_tenants -- --lose-one    # drops an envelope on purpose, which must be noticed
//! cargo run --example hub_and_tenants -- --serve 127.0.0.1:8765 --api-key alice=s3cret
//! ```
//!
//! Exit code 0 only if each envelope arrived exactly once. With `--serve` it is a hub for tenants from elsewhere, AG2's among them:
//! it prints `READY ws://..` once it listens, and drains at SIGINT or SIGTERM. With API keys only these names can be taken, and only
//! with their keys.

mod ledger;
mod play;
mod serve;

use std::{env, process::ExitCode};

const USAGE: &str = "usage: hub_and_tenants [--lose-one | --serve ADDRESS [--api-key NAME=KEY]..]";

/// What is to be done.
#[derive(Debug, PartialEq)]
enum Task {
    Play { lose_one: bool },
    Serve { address: String, keys: Vec<(String, String)> },
    Help,
}

/// `None` when the program was called in another way than [`USAGE`] says.
fn task(arguments: &[&str]) -> Option<Task> {
    match arguments {
        [] => Some(Task::Play { lose_one: false }),
        ["--lose-one"] => Some(Task::Play { lose_one: true }),
        ["--help"] => Some(Task::Help),
        ["--serve", address, options @ ..] => {
            let key = |option: &[&str]| match option {
                ["--api-key", key] => {
                    let (name, key) = key.split_once('=').filter(|(name, _)| !name.is_empty())?;
                    Some((name.to_owned(), key.to_owned()))
                }
                _ => None,
            };
            let keys = options.chunks(2).map(key).collect::<Option<_>>()?;
            Some(Task::Serve { address: (*address).to_owned(), keys })
        }
        _ => None,
    }
}

fn main() -> ExitCode {
    let arguments: Option<Vec<String>> = env::args_os().skip(1).map(|text| text.into_string().ok()).collect();
    let arguments = arguments.as_ref().map(|texts| texts.iter().map(String::as_str).collect::<Vec<_>>());
    let outcome = match arguments.as_deref().and_then(task) {
        Some(Task::Play { lose_one }) => wscope::run(play::play(lose_one)),
        Some(Task::Serve { address, keys }) => wscope::run(serve::serve(address, keys)).map(|()| true),
        Some(Task::Help) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        None => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("hub_and_tenants: {error}");
            ExitCode::FAILURE
        }
    }
}
