//! AG2's own clients against our hub, our tenant against AG2's own hub, and AG2 against itself, so that it is known to be AG2 that is
//! asked for.
//!
//! ```sh
//! cargo test --test ag2
//! ```
//!
//! AG2 is written in Python; it is installed under `target/`, in the versions of `peers/requirements.txt`. Where that cannot be had
//! everything is skipped, the reason is printed, and the run fails: it has shown nothing.
//!
//! | file | what it is |
//! |---|---|
//! | `peers/hub.py` | AG2's own hub; prints `listening PORT` |
//! | `peers/clients.py` | cases with AG2's own clients; prints `ok CASE`, `failed CASE why` or `skipped CASE why`, with tabs, and `done` |
//! | `peers/operations.py` | what `HubClient` can do |
//! | `peers/wires.py` | what only single frames show, with `WsLinkClient` |
//!
//! The name of a case begins with what it is about, and a colon: with that the table at the end is made. What AG2's clients are
//! promised by AG2's hub is asked of ours word for word; where ours is meant to differ the case says so in `differs`.

mod agents;
mod clients;
#[path = "../support/install.rs"]
mod install;
#[path = "../support/process.rs"]
mod process;
mod python;
mod table;
mod tenants;

use std::process::ExitCode;

use wscope::{Error, blocking, nursery};

use crate::{python::Python, table::Column};

fn main() -> ExitCode {
    match wscope::run(meet()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("ag2: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Everything, one after the other. Whether something ran, and nothing failed.
async fn meet() -> Result<bool, Error> {
    let python = match blocking(Python::install).await {
        Ok(python) => python,
        Err(why) => {
            Column::skipped("ag2", why).print();
            return Ok(false);
        }
    };
    let mut columns = Vec::new();
    for deflate in [false, true] {
        columns.push(nursery(async |n| clients::against_us(&n, python.clone(), deflate).await).await?);
    }
    for deflate in [false, true] {
        columns.push(tenants::against_ag2(python.clone(), deflate).await);
    }
    columns.push(clients::against_ag2(python).await);
    columns.iter().for_each(Column::print);
    table::print(&columns);
    let ran: usize = columns.iter().map(Column::ran).sum();
    println!("\n{ran} cases ran");
    Ok(ran > 0 && columns.iter().all(|column| column.failed() == 0))
}
