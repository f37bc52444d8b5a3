//! A server in a process of its own, and what the system tells about it.

use std::{
    env, fs,
    io::{self, BufRead, BufReader},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use nix::{
    sched::{CpuSet, sched_setaffinity},
    sys::signal::{Signal, kill},
    time::{ClockId, clock_getcpuclockid},
    unistd::Pid,
};

use crate::servers::{BEFORE, OURS};

/// Runs until it is dropped.
pub struct Server {
    child: Child,
    clock: ClockId,
    pub port: u16,
}

impl Server {
    /// Starts a server on these processors, with so many threads if it is on async-std.
    pub fn start(name: &str, processors: &[usize], threads: usize, tls: bool) -> io::Result<Self> {
        let processors = processors.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        let (program, name) = match name {
            BEFORE => (env::var_os("BEFORE").ok_or(io::ErrorKind::NotFound)?.into(), OURS),
            name => (env::current_exe()?, name),
        };
        let mut child = Command::new(program)
            .args(["serve", name, &processors, if tls { "tls" } else { "plain" }])
            .env("ASYNC_STD_THREAD_COUNT", threads.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let port = line.trim().parse().map_err(|_| io::Error::other(format!("{name} does not listen")))?;
        let clock = clock_getcpuclockid(pid(&child))?;
        Ok(Self { child, clock, port })
    }

    /// Of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Seconds of processor time, of user and system, of all threads.
    pub fn processor_time(&self) -> io::Result<f64> {
        Ok(Duration::from(self.clock.now()?).as_secs_f64())
    }

    /// Waits until it has nothing more to do: connections that have gone are still to be cleaned up, say.
    pub fn settle(&self) -> io::Result<()> {
        let mut before = self.processor_time()?;
        loop {
            sleep(Duration::from_millis(20));
            let now = self.processor_time()?;
            if now - before < 0.000_5 {
                return Ok(());
            }
            before = now;
        }
    }

    /// KiB of resident memory.
    pub fn memory(&self) -> io::Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = resident.and_then(|rest| rest.trim().strip_suffix(" kB")?.trim().parse().ok());
        kib.ok_or_else(|| io::Error::other("no VmRSS"))
    }

    /// Counts the system calls that it makes during `work`, by the kernel's own tracepoint.
    pub fn system_calls<T>(&self, work: impl FnOnce() -> io::Result<T>) -> io::Result<(f64, T)> {
        let perf = Command::new("perf")
            .args(["stat", "-x", ",", "-e", "raw_syscalls:sys_enter", "-p", &self.child.id().to_string()])
            .stderr(Stdio::piped())
            .spawn()?;
        sleep(Duration::from_millis(500)); // it attaches; the server does nothing meanwhile
        let outcome = work()?;
        kill(pid(&perf), Signal::SIGINT)?;
        let told = String::from_utf8_lossy(&perf.wait_with_output()?.stderr).into_owned();
        let count = told.lines().find_map(|line| line.split_once(",,raw_syscalls")?.0.parse().ok());
        Ok((count.ok_or_else(|| io::Error::other(format!("perf stat: {told}")))?, outcome))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(child.id() as i32)
}

/// Keeps this thread, and those that it starts, on these processors.
pub fn stay_on(processors: &[usize]) -> io::Result<()> {
    let mut set = CpuSet::new();
    for &processor in processors {
        set.set(processor)?;
    }
    Ok(sched_setaffinity(Pid::from_raw(0), &set)?)
}
