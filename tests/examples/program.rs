//! An example that runs: what it prints, how it ends. It is killed when a test has no more use for it.

use std::{
    env,
    io::{BufRead, BufReader, Read},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

/// What anything may take on a machine that is busy.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

pub(crate) struct Program {
    child: Child,
    lines: Receiver<String>,
    errors: Receiver<String>,
    ended: bool,
}

/// What is left of a program.
#[derive(Debug, PartialEq)]
pub(crate) struct Ended {
    /// `None` after a signal.
    pub(crate) code: Option<i32>,
    /// Lines on stdout that nobody has asked for before.
    pub(crate) out: Vec<String>,
    pub(crate) errors: Vec<String>,
}

impl Program {
    pub(crate) fn start(name: &str, arguments: &[&str]) -> Self {
        Self::start_with(name, arguments, &[])
    }

    /// With variables in its environment; what matters of the test's own is not inherited.
    pub(crate) fn start_with(name: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(example(name));
        command.args(arguments).env_remove("WS_TOKEN").env_remove("ASYNC_STD_THREAD_COUNT");
        command.envs(variables.iter().copied());
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = lines_of(child.stdout.take().unwrap());
        let errors = lines_of(child.stderr.take().unwrap());
        Self { child, lines, errors, ended: false }
    }

    /// The next line on stdout.
    pub(crate) fn line(&self) -> String {
        self.lines.recv_timeout(LIMIT).expect("a line on stdout")
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal: `INT`, `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ended {
        let out = until_end(&self.lines);
        let errors = until_end(&self.errors);
        // Both streams are closed, and nothing closes them before its end.
        let code = self.child.wait().unwrap().code();
        self.ended = true;
        Ended { code, out, errors }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if !self.ended {
            self.child.kill().unwrap();
            self.child.wait().unwrap();
        }
    }
}

/// Runs an example to its end.
pub(crate) fn run(name: &str, arguments: &[&str]) -> Ended {
    Program::start(name, arguments).end()
}

/// What is wrong with the way in which it was called is said in one line, and by exit code 2.
pub(crate) fn refuses(name: &str, arguments: &[&str]) {
    let ended = run(name, arguments);
    assert_eq!((ended.code, ended.out.len()), (Some(2), 0), "{arguments:?}: {ended:?}");
    assert!(matches!(&*ended.errors, [usage] if usage.starts_with(&format!("usage: {name}"))), "{ended:?}");
}

/// Cargo puts examples beside the folder of the test's own binary.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let path = test.parent().unwrap().with_file_name("examples").join(name);
    assert!(path.exists(), "{} is not built: `cargo build --examples`", path.display());
    path
}

fn lines_of(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines() {
            if line.is_err() || line.is_ok_and(|line| send.send(line).is_err()) {
                break;
            }
        }
    });
    receive
}

fn until_end(lines: &Receiver<String>) -> Vec<String> {
    use std::sync::mpsc::RecvTimeoutError::{Disconnected, Timeout};
    let mut all = Vec::new();
    loop {
        match lines.recv_timeout(LIMIT) {
            Ok(line) => all.push(line),
            Err(Disconnected) => return all,
            Err(Timeout) => panic!("it does not end; so far: {all:?}"),
        }
    }
}
