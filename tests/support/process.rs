//! A program of the other side as the process that it is: it says a line for each thing that there is to know.
#![allow(dead_code, reason = "each binary needs some of it")]

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

/// Between two lines of a program, on a machine that is busy.
const LIMIT: Duration = Duration::from_secs(90);

/// It is killed when it is of no more use, and with it all that it started, where it leads a process group.
pub(crate) struct Process {
    child: Child,
    lines: Receiver<String>,
    /// What it is, or is made of, as its first line says.
    pub(crate) version: String,
}

impl Process {
    pub(crate) fn start(mut command: Command) -> Result<Self, String> {
        command.env("PYTHONDONTWRITEBYTECODE", "1"); // nothing is left beside the sources
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = spawned.map_err(|error| format!("it cannot be started: {error}"))?;
        let (send, lines) = channel();
        if let Some(stdout) = child.stdout.take() {
            thread::spawn(move || {
                let lines = BufReader::new(stdout).lines().map_while(Result::ok);
                lines.take_while(|line| send.send(line.clone()).is_ok()).for_each(drop);
            });
        }
        let mut process = Self { child, lines, version: String::new() };
        let line = process.line().unwrap_or_default();
        process.version = line.strip_prefix("version ").ok_or("it does not run here")?.to_owned();
        Ok(process)
    }

    /// The next line; `None` when there is none, or none in time.
    pub(crate) fn line(&self) -> Option<String> {
        self.lines.recv_timeout(LIMIT).ok()
    }

    /// The lines that have come and were not asked for.
    pub(crate) fn told(&self) -> Vec<String> {
        self.lines.try_iter().collect()
    }

    /// The number behind `listening`, which a server says next.
    pub(crate) fn port(&self) -> Result<u16, String> {
        let line = self.line().unwrap_or_default();
        let port = line.strip_prefix("listening ").and_then(|port| port.parse().ok());
        port.ok_or_else(|| format!("it does not listen: {line}"))
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
