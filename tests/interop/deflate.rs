//! Parameters of permessage-deflate (RFC 7692 §7.1), every set of them, and messages that tell whether they were kept to.

use wscope::{
    Error, Message,
    proto::extension::{PermessageDeflate, WindowBits},
};

/// The flags and windows of one connection; a window may be unnamed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Parameters {
    pub(crate) server_no_context_takeover: bool,
    pub(crate) client_no_context_takeover: bool,
    pub(crate) server_max_window_bits: Option<u8>,
    pub(crate) client_max_window_bits: Option<u8>,
}

impl Parameters {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        const FLAGS: [bool; 2] = [false, true];
        let windows = || [None].into_iter().chain((9..=15).map(Some));
        FLAGS.into_iter().flat_map(move |server_no_context_takeover| {
            FLAGS.into_iter().flat_map(move |client_no_context_takeover| {
                windows().flat_map(move |server_max_window_bits| {
                    windows().map(move |client_max_window_bits| Self {
                        server_no_context_takeover,
                        client_no_context_takeover,
                        server_max_window_bits,
                        client_max_window_bits,
                    })
                })
            })
        })
    }

    /// As they stand behind `/deflate?`.
    pub(crate) fn from_query(query: &str) -> Result<Self, Error> {
        let mut parameters = Self::default();
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            let value: u8 = value.parse().map_err(Error::other)?;
            match name {
                "server_no_context_takeover" => parameters.server_no_context_takeover = value == 1,
                "client_no_context_takeover" => parameters.client_no_context_takeover = value == 1,
                "server_max_window_bits" => parameters.server_max_window_bits = Some(value),
                "client_max_window_bits" => parameters.client_max_window_bits = Some(value),
                _ => return Err(Error::other(format!("there is no parameter {name}"))),
            }
        }
        Ok(parameters)
    }

    /// The reverse.
    pub(crate) fn query(&self) -> String {
        let items: Vec<_> = self.items().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        items.join("&")
    }

    /// What is asked for, by name.
    pub(crate) fn items(&self) -> Vec<(&'static str, u8)> {
        let flag = |set: bool| set.then_some(1);
        let named = [
            ("server_no_context_takeover", flag(self.server_no_context_takeover)),
            ("client_no_context_takeover", flag(self.client_no_context_takeover)),
            ("server_max_window_bits", self.server_max_window_bits),
            ("client_max_window_bits", self.client_max_window_bits),
        ];
        named.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// As one of our sides wants it. Every message is compressed, however short.
    pub(crate) fn wanted(&self) -> Result<PermessageDeflate, Error> {
        let window = |bits: Option<u8>| {
            bits.map_or(Ok(WindowBits::MAX), |bits| WindowBits::new(bits).map_err(Error::other))
        };
        Ok(PermessageDeflate::dedicated()
            .server_no_context_takeover(self.server_no_context_takeover)
            .client_no_context_takeover(self.client_no_context_takeover)
            .server_max_window_bits(window(self.server_max_window_bits)?)
            .client_max_window_bits(window(self.client_max_window_bits)?)
            .threshold(0))
    }
}

/// Alike messages, one that does not compress, and repetitions as far apart as the windows are long.
pub(crate) fn messages() -> Vec<Message> {
    let alike: String =
        (0..60).map(|user| format!("{{\"user\": {user}, \"on\": true, \"name\": \"wscope\"}}, ")).collect();
    let mut state = 1_u64;
    let noise: Vec<u8> = (0..17_000)
        .map(|_| {
            state = (state * 1_103_515_245 + 12_345) % (1 << 31);
            state.to_le_bytes()[2]
        })
        .collect();
    let far: Vec<u8> =
        [200, 500, 4000, 16_000].into_iter().flat_map(|distance| noise[..distance].repeat(2)).collect();
    let alike = Message::from(alike);
    vec![alike.clone(), alike.clone(), "".into(), "short".into(), noise.into(), far.into(), alike]
}
