//! The four parameters of permessage-deflate, read strictly and written down (RFC 7692 §7.1).
//! Pure: who may send which of them, and what follows, is decided in [`deflate`](super::deflate).

use crate::proto::header::{ExtensionItem, Token};

/// The parameters of one offer or answer.
///
/// A repeated parameter, an unknown one, a value where none may stand, a missing one or one out of range make the item
/// no offer and no answer at all (RFC 7692 §7.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Parameters {
    pub(super) server_no_context_takeover: bool,
    pub(super) client_no_context_takeover: bool,
    /// 8 to 15.
    pub(super) server_max_window_bits: Option<u8>,
    pub(super) client_max_window_bits: Option<ClientWindow>,
}

/// `client_max_window_bits` with or without a value. Without one it says that the client would obey one (RFC 7692
/// §7.1.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientWindow {
    Any,
    /// 8 to 15.
    Bits(u8),
}

impl Parameters {
    /// Reads an item under the name of the extension.
    pub(super) fn read(item: &ExtensionItem) -> Option<Self> {
        let mut parameters = Self::default();
        for (name, value) in item.parameters() {
            let once = match (name, value) {
                ("server_no_context_takeover", None) => {
                    !std::mem::replace(&mut parameters.server_no_context_takeover, true)
                }
                ("client_no_context_takeover", None) => {
                    !std::mem::replace(&mut parameters.client_no_context_takeover, true)
                }
                ("server_max_window_bits", Some(value)) => {
                    parameters.server_max_window_bits.replace(window_bits(value)?).is_none()
                }
                ("client_max_window_bits", value) => {
                    let window = match value {
                        Some(value) => ClientWindow::Bits(window_bits(value)?),
                        None => ClientWindow::Any,
                    };
                    parameters.client_max_window_bits.replace(window).is_none()
                }
                _ => false,
            };
            if !once {
                return None;
            }
        }
        Some(parameters)
    }

    /// The item that says this.
    pub(super) fn item(self) -> ExtensionItem {
        let mut item = ExtensionItem::new(NAME);
        if self.server_no_context_takeover {
            item = item.with_flag(Token::from_static("server_no_context_takeover"));
        }
        if self.client_no_context_takeover {
            item = item.with_flag(Token::from_static("client_no_context_takeover"));
        }
        if let Some(bits) = self.server_max_window_bits {
            item = item.with_value(Token::from_static("server_max_window_bits"), bits.into());
        }
        let client_max_window_bits = Token::from_static("client_max_window_bits");
        match self.client_max_window_bits {
            Some(ClientWindow::Bits(bits)) => item.with_value(client_max_window_bits, bits.into()),
            Some(ClientWindow::Any) => item.with_flag(client_max_window_bits),
            None => item,
        }
    }
}

/// "a decimal integer value without leading zeroes between 8 to 15, inclusive" (RFC 7692 §7.1.2.1).
fn window_bits(value: &str) -> Option<u8> {
    let plain = !value.starts_with('0') && value.bytes().all(|byte| byte.is_ascii_digit());
    value.parse().ok().filter(|bits| plain && (8..=15).contains(bits))
}

/// The registered name (RFC 7692 §9.1).
pub(super) const NAME: Token = Token::from_static("permessage-deflate");
