//! A Unix socket that waits for connections, and its file.

use std::{
    fs, io,
    os::unix::{
        fs::{FileTypeExt, MetadataExt},
        net::UnixListener as Raw,
    },
    path::{Path, PathBuf},
};

use async_io::Async;

use super::{Address, Transport, Unix, listener::BACKLOG, unix};

/// Listens at a path, where it makes a file and removes it again.
#[derive(Debug)]
pub(crate) struct UnixListener {
    listener: Async<Raw>,
    local: Address,
    /// Removed after the listener is closed, so declared below it.
    _file: SocketFile,
}

impl UnixListener {
    /// Listens at `path`. A file that a dead server has left there is replaced; where a server answers, or where anything but a
    /// socket lies, it is `AddrInUse`.
    pub(crate) async fn bind(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let listener = match Raw::bind(path) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_stale(path).await? => {
                fs::remove_file(path)?;
                Raw::bind(path)
            }
            bound => bound,
        }?;
        let file = SocketFile::of(path)?;
        rustix::net::listen(&listener, BACKLOG)?; // `std` has chosen another; the last call counts
        let local = Address::Unix(Some(path.to_owned()));
        Ok(Self { listener: Async::new(listener)?, local, _file: file })
    }

    pub(crate) fn local(&self) -> &Address {
        &self.local
    }

    /// See [`Listener::accept`](super::Listener::accept).
    pub(crate) async fn accept(&self) -> io::Result<Transport> {
        let (stream, peer) = self.listener.accept().await?;
        Ok(Transport::Unix(Unix::over(stream, unix::address(&peer))?))
    }
}

/// Whether there is a socket at `path` at which nobody listens any more.
async fn is_stale(path: &Path) -> io::Result<bool> {
    if !fs::symlink_metadata(path)?.file_type().is_socket() {
        return Ok(false);
    }
    // A server with a full backlog refuses in other words.
    let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    Ok(Unix::connect(path).await.is_err_and(refused))
}

/// The file of a socket. Removes it, unless another has taken its place.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl SocketFile {
    fn of(path: &Path) -> io::Result<Self> {
        // From here on the working directory may change.
        Ok(Self { path: std::path::absolute(path)?, identity: identity(path)? })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|found| found == self.identity) {
            // Nobody is left to be told, and the next server replaces a stale file.
            drop(fs::remove_file(&self.path));
        }
    }
}

/// What tells files apart.
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}
