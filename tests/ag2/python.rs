//! A Python with AG2 in it, and the programs that it runs.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{install, process::Process};

/// The interpreter of an environment with the packages of `requirements.txt`.
#[derive(Clone)]
pub(crate) struct Python(PathBuf);

impl Python {
    /// Installs it, unless it was done before with these requirements. `Err` is why it cannot be had.
    pub(crate) fn install() -> Result<Self, String> {
        let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ag2");
        install::python(&environment, &peers().join("requirements.txt")).map(Self)
    }

    /// Starts a program of `peers/`. Its version comes with it.
    pub(crate) fn start(&self, program: &str, arguments: &[&str]) -> Result<Process, String> {
        let mut command = Command::new(&self.0);
        command.arg(peers().join(program)).args(arguments);
        Process::start(command)
    }
}

fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ag2/peers")
}
