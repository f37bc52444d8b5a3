//! Packages that programs of other languages need, under cargo's folder for what tests leave behind.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A Python with the packages of `requirements`, in the folder `environment`. `Err` is why it cannot be had.
pub(crate) fn python(environment: &Path, requirements: &Path) -> Result<PathBuf, String> {
    let python = environment.join("bin/python");
    once(environment, &[requirements.to_owned()], || {
        call(Command::new("python3").args(["-m", "venv", "--clear"]).arg(environment))?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r"];
        call(Command::new(&python).args(pip).arg(requirements))
    })?;
    Ok(python)
}

/// Calls `install`, which fills `folder`, unless that was done before with `files` as they are now.
pub(crate) fn once(
    folder: &Path,
    files: &[PathBuf],
    install: impl FnOnce() -> Result<(), String>,
) -> Result<(), String> {
    let wanted = files.iter().map(fs::read_to_string).collect::<Result<String, _>>();
    let wanted = wanted.map_err(|error| error.to_string())?;
    let installed = folder.join("installed"); // written last: it says that the rest is complete
    if fs::read_to_string(&installed).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    install()?;
    fs::write(installed, wanted).map_err(|error| error.to_string())
}

pub(crate) fn call(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let ended = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    match ended {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{program} could not install it: {status}")),
        Err(error) => Err(format!("there is no {program}: {error}")),
    }
}
