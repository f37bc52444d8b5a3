//! A server in a process of its own, and what the system tells about it.

use std::{
    env, fs,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::Duration,
};

use nix::{
    sched::{CpuSet, sched_setaffinity},
    time::{ClockId, clock_getcpuclockid},
    unistd::Pid,
};

/// Runs until it is dropped.
pub struct Server {
    pub name: &'static str,
    child: Child,
    clock: ClockId,
    pub port: u16,
}

impl Server {
    /// Starts `wscope`, `echo` or `ag2` on processor 0.
    pub fn start(name: &'static str) -> io::Result<Self> {
        let mut command = Command::new("taskset");
        command.args(["-c", "0"]).env("ASYNC_STD_THREAD_COUNT", "1");
        if name == "ag2" {
            let hub = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/ag2/peers/hub.py");
            command.arg(python()).arg(hub).arg("quiet").env("PYTHONDONTWRITEBYTECODE", "1");
        } else {
            command.arg(env::current_exe()?).args(["serve", name]);
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let port = child
            .stdout
            .take()
            .and_then(port)
            .ok_or_else(|| io::Error::other(format!("{name} does not listen")));
        let clock = clock_getcpuclockid(Pid::from_raw(child.id() as i32))?;
        Ok(Self { name, child, clock, port: port? })
    }

    /// Of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Seconds of processor time, of user and system, of all threads.
    pub fn processor_time(&self) -> io::Result<f64> {
        Ok(Duration::from(self.clock.now()?).as_secs_f64())
    }

    /// KiB of resident memory.
    pub fn memory(&self) -> io::Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = resident.and_then(|rest| rest.trim().strip_suffix(" kB")?.trim().parse().ok());
        kib.ok_or_else(|| io::Error::other("no VmRSS"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended by itself
        let _ = self.child.wait();
    }
}

/// Keeps this thread, and those that it starts, on this processor.
pub fn stay_on(processor: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(processor)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &set)?)
}

/// The number behind `listening`. What is said later is read, and dropped.
fn port(stdout: ChildStdout) -> Option<u16> {
    let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
    let port = lines.find_map(|line| line.strip_prefix("listening ")?.parse().ok());
    thread::spawn(move || lines.for_each(drop));
    port
}

/// One that has AG2: where the tests install it, unless another is named.
fn python() -> PathBuf {
    let installed = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tmp/ag2/bin/python");
    env::var_os("AG2_PYTHON").map_or_else(installed, Into::into)
}
