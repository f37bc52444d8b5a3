//! WebSockets in structured scopes.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod proto;
