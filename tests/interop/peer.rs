//! A program of the other side as the process that it is. It is killed, with all that it started, when it is of no more use.

use std::{
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use crate::{install, tally::Tally};

/// Between two lines of a program, on a machine that is busy.
const LIMIT: Duration = Duration::from_secs(60);

pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) program: Program,
    /// Whether it has a server.
    pub(crate) serves: bool,
    /// Cases that our client cannot run against its server, by the beginning of their names, and why.
    pub(crate) lacks: &'static [(&'static str, &'static str)],
}

/// A file of `peers/`, and what runs it.
pub(crate) enum Program {
    Python(&'static str),
    Node(&'static str),
}

/// How a peer is called.
#[derive(Clone)]
pub(crate) struct Call {
    name: &'static str,
    program: PathBuf,
    script: PathBuf,
    variables: Vec<(&'static str, PathBuf)>,
}

impl Peer {
    /// Installs what it needs. `Err` is why it cannot be had.
    pub(crate) fn prepare(&self) -> Result<Call, String> {
        let (program, script, variables) = match self.program {
            Program::Python(script) => (install::python()?, script, Vec::new()),
            Program::Node(script) => {
                let (packages, temporary) = install::node()?;
                let variables = vec![("INTEROP_PACKAGES", packages), ("TMPDIR", temporary)];
                (PathBuf::from("node"), script, variables)
            }
        };
        Ok(Call { name: self.name, program, script: install::peers().join(script), variables })
    }
}

impl Call {
    /// Runs the peer's cases against the server at `url`.
    pub(crate) fn run_client(&self, url: &str) -> Tally {
        let process = match Process::start(self, &["client", url]) {
            Ok(process) => process,
            Err(why) => return Tally::skipped(self.name, why),
        };
        let mut tally = Tally::new(format!("{} as client", process.version));
        while let Some(line) = process.line() {
            match line.split_once(' ') {
                Some(("ok", _)) => tally.pass(),
                Some(("failed", what)) => tally.fail(what),
                Some(("skipped", what)) => tally.skip(what.rsplit_once(": ").map_or(what, |(_, why)| why)),
                _ if line == "done" => return tally,
                _ => tally.fail(format!("a line that says nothing: {line}")),
            }
        }
        tally.fail("it ended, or was silent, before it was done");
        tally
    }

    /// Starts its server. Its version and its port come with it.
    pub(crate) fn start_server(&self) -> Result<(Process, u16), String> {
        let process = Process::start(self, &["server"])?;
        let line = process.line().unwrap_or_default();
        let port = line.strip_prefix("listening ").and_then(|port| port.parse().ok());
        let port = port.ok_or_else(|| format!("it does not listen: {line}"))?;
        Ok((process, port))
    }
}

pub(crate) struct Process {
    child: Child,
    lines: Receiver<String>,
    /// Name and number, as it says itself.
    pub(crate) version: String,
}

impl Process {
    fn start(call: &Call, arguments: &[&str]) -> Result<Self, String> {
        let mut command = Command::new(&call.program);
        command.arg(&call.script).args(arguments).envs(call.variables.iter().cloned());
        command.env("PYTHONDONTWRITEBYTECODE", "1"); // nothing is left beside the sources
        command.process_group(0); // so that a browser goes with whoever started it
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = spawned.map_err(|error| format!("it cannot be started: {error}"))?;
        let (send, lines) = channel();
        if let Some(stdout) = child.stdout.take() {
            thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    if send.send(line).is_err() {
                        break;
                    }
                }
            });
        }
        let mut process = Self { child, lines, version: String::new() };
        let line = process.line().unwrap_or_default();
        let version = line.strip_prefix("version ").ok_or("it does not run here")?;
        process.version = version.to_owned();
        Ok(process)
    }

    /// The next line; `None` when there is none, or none in time.
    fn line(&self) -> Option<String> {
        self.lines.recv_timeout(LIMIT).ok()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Any of these may have ended by itself.
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-s", "KILL", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
