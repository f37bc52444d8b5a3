//! A Python with AG2 in it, under cargo's folder for what tests leave behind; and programs that it runs.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

/// Between two lines of a program, on a machine that is busy.
const LIMIT: Duration = Duration::from_secs(90);

/// The interpreter of an environment with the packages of `requirements.txt`.
#[derive(Clone)]
pub(crate) struct Python(PathBuf);

impl Python {
    /// Installs it, unless it was done before with these requirements. `Err` is why it cannot be had.
    pub(crate) fn install() -> Result<Self, String> {
        let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ag2");
        let python = environment.join("bin/python");
        let requirements = peers().join("requirements.txt");
        let wanted = fs::read_to_string(&requirements).map_err(|error| error.to_string())?;
        let installed = environment.join("installed"); // written last: it says that the rest is complete
        if fs::read_to_string(&installed).is_ok_and(|found| found == wanted) {
            return Ok(Self(python));
        }
        call(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r"];
        call(Command::new(&python).args(pip).arg(requirements))?;
        fs::write(installed, wanted).map_err(|error| error.to_string())?;
        Ok(Self(python))
    }

    /// Starts a program of `peers/`. Its version comes with it.
    pub(crate) fn start(&self, program: &str, arguments: &[&str]) -> Result<Process, String> {
        let mut command = Command::new(&self.0);
        command.env("PYTHONDONTWRITEBYTECODE", "1").arg(peers().join(program)).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("it cannot be started: {error}"))?;
        let (send, lines) = channel();
        if let Some(stdout) = child.stdout.take() {
            thread::spawn(move || {
                let lines = BufReader::new(stdout).lines().map_while(Result::ok);
                lines.take_while(|line| send.send(line.clone()).is_ok()).for_each(drop);
            });
        }
        let mut process = Process { child, lines, version: String::new() };
        let line = process.line().unwrap_or_default();
        process.version = line.strip_prefix("version ").ok_or("it does not run here")?.to_owned();
        Ok(process)
    }
}

/// A program. It is killed when it is of no more use.
pub(crate) struct Process {
    child: Child,
    lines: Receiver<String>,
    /// What it is made of, as it says itself.
    pub(crate) version: String,
}

impl Process {
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
        let _ = self.child.kill(); // it may have ended by itself
        let _ = self.child.wait();
    }
}

fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ag2/peers")
}

fn call(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let ended = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    match ended {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{program} could not install it: {status}")),
        Err(error) => Err(format!("there is no {program}: {error}")),
    }
}
