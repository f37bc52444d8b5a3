//! What a finished handshake hands to the frames, and how an extension gets into it (RFC 6455 §9.1).

use crate::proto::{
    extension::{Extension, Transforms},
    handshake::ResponseError,
    header::ExtensionItem,
};

/// What both sides agreed on: all that frames need to know about the handshake.
///
/// ```
/// use wscope::proto::Agreement;
/// let agreement = Agreement::new(Some("chat".into()), None); // the handshake was done elsewhere
/// assert_eq!(agreement.subprotocol.as_deref(), Some("chat"));
/// ```
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Agreement {
    /// The subprotocol that the server picked.
    pub subprotocol: Option<String>,
    /// The extension, with its state for this connection.
    pub extension: Option<Transforms>,
}

impl Agreement {
    /// An agreement that was reached by other means than this module's.
    #[must_use]
    pub const fn new(subprotocol: Option<String>, extension: Option<Transforms>) -> Self {
        Self { subprotocol, extension }
    }
}

/// Server: takes the first of `offers` that `extension` accepts. `None` declines them all, which is always allowed
/// (RFC 6455 §9.1).
///
/// Handshakes of this module do this by themselves; it is here for those that are done elsewhere.
///
/// ```
/// # #[cfg(feature = "deflate")] {
/// use wscope::proto::{ExtensionItem, accept_extension, extension::PermessageDeflate};
///
/// let offers = ExtensionItem::parse_list([&b"x-unknown, permessage-deflate"[..]])?;
/// let (answer, _transforms) = accept_extension(&offers, &PermessageDeflate::dedicated()).expect("one that we know");
/// assert_eq!(answer.to_string(), "permessage-deflate");
/// # }
/// # Ok::<(), wscope::proto::ListError>(())
/// ```
#[must_use]
pub fn accept_extension(
    offers: &[ExtensionItem],
    extension: &dyn Extension,
) -> Option<(ExtensionItem, Transforms)> {
    let name = extension.name();
    let mut accepted =
        offers.iter().filter(|offer| offer.name() == name).filter_map(|offer| extension.accept(offer));
    accepted.find(|(answer, _)| answer.name() == name)
}

/// Client: judges the server's `answers` to what `extension` offered.
///
/// Handshakes of this module do this by themselves; it is here for those that are done elsewhere.
///
/// # Errors
/// An extension that was not offered, one that stands in the answer twice, or parameters that the extension does not
/// confirm (RFC 6455 §4.1, §9.1).
///
/// ```
/// # #[cfg(feature = "deflate")] {
/// use wscope::proto::{ExtensionItem, confirm_extension, extension::PermessageDeflate};
///
/// let deflate = PermessageDeflate::dedicated();
/// let answers = ExtensionItem::parse_list([&b"permessage-deflate"[..]])?;
/// assert!(confirm_extension(&answers, Some(&deflate))?.is_some());
/// let error = confirm_extension(&answers, None).unwrap_err();
/// assert!(error.to_string().contains("permessage-deflate, which was not offered"));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn confirm_extension(
    answers: &[ExtensionItem],
    extension: Option<&dyn Extension>,
) -> Result<Option<Transforms>, ResponseError> {
    let Some(answer) = answers.first() else { return Ok(None) };
    let offered = |item: &ExtensionItem| extension.filter(|extension| extension.name() == item.name());
    if let Some(foreign) = answers.iter().find(|item| offered(item).is_none()) {
        return Err(ResponseError::extension_not_offered(foreign));
    }
    if answers.len() > 1 {
        return Err(ResponseError::ExtensionRepeated { name: answer.name().to_owned() });
    }
    match offered(answer).and_then(|extension| extension.confirm(answer)) {
        Some(transforms) => Ok(Some(transforms)),
        None => Err(ResponseError::extension_refused(answer)),
    }
}
