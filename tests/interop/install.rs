//! What the peers need, in the versions that stand beside them, under cargo's folder for what tests leave behind.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Where the programs of the other side are.
pub(crate) fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/peers")
}

/// A Python with the packages of `requirements.txt`.
pub(crate) fn python() -> Result<PathBuf, String> {
    let environment = folder().join("python");
    let python = environment.join("bin/python");
    once(&environment, &["requirements.txt"], || {
        call(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
        let requirements = peers().join("requirements.txt");
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r"];
        call(Command::new(&python).args(pip).arg(requirements))
    })?;
    Ok(python)
}

/// The folder with the packages of `package-lock.json`, and one for temporary files.
pub(crate) fn node() -> Result<(PathBuf, PathBuf), String> {
    let packages = folder().join("node");
    once(&packages, &["package.json", "package-lock.json"], || {
        let _ = fs::remove_dir_all(&packages); // what is left of another version
        fs::create_dir_all(packages.join("tmp")).map_err(|error| error.to_string())?;
        for name in ["package.json", "package-lock.json"] {
            fs::copy(peers().join(name), packages.join(name)).map_err(|error| error.to_string())?;
        }
        let npm = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
        call(Command::new("npm").args(npm).current_dir(&packages))
    })?;
    let temporary = packages.join("tmp");
    Ok((packages, temporary))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("interop")
}

/// Calls `install` unless it was done before, with `files` of `peers/` as they are now.
fn once(folder: &Path, files: &[&str], install: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    let wanted: String =
        files.iter().map(|name| fs::read_to_string(peers().join(name)).unwrap_or_default()).collect();
    let installed = folder.join("installed"); // written last: it says that the rest is complete
    if fs::read_to_string(&installed).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    install()?;
    fs::write(installed, wanted).map_err(|error| error.to_string())
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
