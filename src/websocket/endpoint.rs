//! temporary
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint { Other }
