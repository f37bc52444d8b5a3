//! A body with a connection, and what the peer is told when the body is left.

use std::{future::Future, panic::resume_unwind};

use super::{
    DisconnectionTimeout,
    driver::{Driven, Driver},
};
use crate::proto::CloseCode;

/// Runs a body and drives its connection, then closes: with 1000 after a value, with 1011 after an error or a panic. When this is
/// dropped, the driver sees to 1001.
pub(super) async fn scoped<T, E, F, B>(driver: Driver, body: F) -> Result<T, E>
where
    F: FnOnce() -> B,
    B: Future<Output = Result<T, E>>,
    E: From<DisconnectionTimeout>,
{
    let (outcome, driver) = Driven::new(body(), driver).await;
    let code = match outcome {
        Ok(Ok(_)) => CloseCode::NORMAL_CLOSURE,
        Ok(Err(_)) | Err(_) => CloseCode::INTERNAL_ERROR,
    };
    let closed = driver.close(code).await;
    match outcome {
        Err(panic) => resume_unwind(panic),
        Ok(Err(error)) => Err(error),
        Ok(Ok(value)) => Ok(closed.in_time().map(|()| value)?),
    }
}
