//! What the peers need, in the versions that stand beside them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::install::{self, call, once};

/// Where the programs of the other side are.
pub(crate) fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/peers")
}

/// A Python with the packages of `requirements.txt`.
pub(crate) fn python() -> Result<PathBuf, String> {
    install::python(&folder().join("python"), &peers().join("requirements.txt"))
}

/// The folder with the packages of `package-lock.json`, and one for temporary files.
pub(crate) fn node() -> Result<(PathBuf, PathBuf), String> {
    let packages = folder().join("node");
    let wanted = ["package.json", "package-lock.json"];
    once(&packages, &wanted.map(|name| peers().join(name)), || {
        let _ = fs::remove_dir_all(&packages); // what is left of another version
        fs::create_dir_all(packages.join("tmp")).map_err(|error| error.to_string())?;
        for name in wanted {
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
