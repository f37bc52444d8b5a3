//! How a tenant comes to be: for a block, or in a nursery.

use super::{
    config::{IntoTenantConfig, TenantConfig},
    driver::drive,
    handle::Tenant,
};
use crate::{
    link::{link_error::LinkError, tenant_link::open_link},
    scope::{Nursery, nursery},
};

/// Opens a link to a hub, runs `body` with a tenant on it, and closes it: nothing of it is left when this returns, or is dropped.
///
/// The hub is told how the block was left: 1000 when `body` returned a value, 1011 when it returned an error or panicked, 1001 when
/// this call was cancelled or dropped. Agents stay registered, and what is owed to them stays owed. Opening is bounded by
/// [`open_timeout`](crate::link::TenantLink::open_timeout), `body` by nothing.
///
/// ```no_run
/// use wscope::link::{ChannelType, open_tenant};
///
/// # async fn f() -> Result<(), wscope::Error> {
/// open_tenant("ws://127.0.0.1:8765/", async |tenant| {
///     let alice = tenant.register("alice").await?;
///     let channel = alice.open_channel(ChannelType::Conversation, ["bob"]).await?;
///     channel.post("hello").await?;
///     Ok(())
/// })
/// .await
/// # }
/// ```
///
/// # Errors
/// [`LinkError`] when there is no link, or the hub did not answer the close frame in time; the error of `body`.
pub async fn open_tenant<T, E, F, B>(to: impl IntoTenantConfig, body: F) -> Result<T, E>
where
    F: FnOnce(Tenant) -> B,
    B: Future<Output = Result<T, E>>,
    E: From<LinkError>,
{
    let TenantConfig { link, habits } = to.into_tenant_config()?;
    open_link(link, async |link| {
        let tenant = Tenant::new(link, habits);
        let driver = drive(tenant.shared.clone());
        nursery(async |n: Nursery<'_, E>| {
            n.start_service(async {
                driver.await;
                Ok(())
            });
            body(tenant).await
        })
        .await
    })
    .await
}

/// Opens a link to a hub that lives in a nursery, with a tenant on it. It is closed when the nursery ends, with 1001, unless the
/// tenant is [closed](Tenant::close) before; handles that are kept answer [`Closed`](super::RequestError::Closed). Opening is bounded by
/// [`open_timeout`](crate::link::TenantLink::open_timeout).
///
/// Cancel-safe: a dropped call leaves no link.
///
/// ```no_run
/// use wscope::{Error, Nursery, link::{Passport, connect_tenant}};
///
/// async fn listen(n: &Nursery<'_, Error>, url: &str) -> Result<(), Error> {
///     let tenant = connect_tenant(n, url).await?;
///     let alice = tenant.register("alice").await?;
///     n.start_soon(async move {
///         Ok(alice.serve(async |delivery| Ok(println!("{:?}", delivery.text()))).await?)
///     });
///     Ok(())
/// }
/// ```
///
/// # Errors
/// [`LinkError`], from here and not in the nursery.
///
/// # Panics
/// When the nursery has finished.
pub async fn connect_tenant<E: Send>(
    nursery: &Nursery<'_, E>,
    to: impl IntoTenantConfig,
) -> Result<Tenant, LinkError> {
    let TenantConfig { link, habits } = to.into_tenant_config()?;
    link.open(nursery).await?;
    let tenant = Tenant::new(link, habits);
    let driver = drive(tenant.shared.clone());
    nursery.start_service(async {
        driver.await;
        Ok(())
    });
    Ok(tenant)
}
