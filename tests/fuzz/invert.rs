//! An extension that inverts every bit: enough of one to see the seam at work, and to see that nothing is lost in it.

use wscope::proto::{
    ExtensionItem, Token,
    extension::{BrokenStream, Extension, InboundTransform, OutboundTransform, Rsv, Step, Transforms},
};

/// The configuration: what is offered. Agrees on any offer as it stands, and confirms what was offered and nothing else.
#[derive(Clone, Debug, Default)]
pub struct Invert {
    pub offers: Vec<ExtensionItem>,
}

impl Invert {
    /// A name of which the seeds of other extensions are seeds too.
    pub const NAME: Token = Token::from_static("permessage-deflate");

    pub fn transforms() -> Transforms {
        Transforms::new(Rsv::Rsv1, Box::new(Inbound), Box::new(Outbound))
    }
}

impl Extension for Invert {
    fn name(&self) -> &'static str {
        "permessage-deflate"
    }

    fn offers(&self) -> Vec<ExtensionItem> {
        self.offers.clone()
    }

    fn accept(&self, offer: &ExtensionItem) -> Option<(ExtensionItem, Transforms)> {
        Some((offer.clone(), Self::transforms()))
    }

    fn confirm(&self, answer: &ExtensionItem) -> Option<Transforms> {
        self.offers.contains(answer).then(Self::transforms)
    }
}

#[derive(Debug)]
struct Inbound;

#[derive(Debug)]
struct Outbound;

impl InboundTransform for Inbound {
    /// Some bytes at a time, as a decompressor with a small window would.
    fn transform(
        &mut self,
        input: &mut &[u8],
        output: &mut Vec<u8>,
        room: usize,
    ) -> Result<Step, BrokenStream> {
        let (now, later) = input.split_at(input.len().min(room).min(1000));
        output.extend(now.iter().map(|byte| !byte));
        *input = later;
        Ok(if later.is_empty() { Step::Done } else { Step::Full })
    }

    fn finish(&mut self, _: &mut Vec<u8>, _: usize) -> Result<Step, BrokenStream> {
        Ok(Step::Done)
    }
}

impl OutboundTransform for Outbound {
    /// Declines messages that begin with nothing.
    fn transform(&mut self, payload: &[u8], first: bool, _: bool, output: &mut Vec<u8>) -> bool {
        if first && payload.is_empty() {
            return false;
        }
        output.extend(payload.iter().map(|byte| !byte));
        true
    }
}
