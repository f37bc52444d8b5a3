//! Frames as the tests write and read them: a second, plain implementation that shares no code with the engine. The rules
//! in `tests/proto` are written with it too.

use wscope::proto::{CloseCode, Config, Connection, RandomSource, Role, extension::Transforms};

pub const CONTINUATION: u8 = 0x0;
pub const TEXT: u8 = 0x1;
pub const BINARY: u8 = 0x2;
pub const CLOSE: u8 = 0x8;
pub const PING: u8 = 0x9;
pub const PONG: u8 = 0xA;

/// Masking keys that are all the same, so that two runs write the same bytes.
#[derive(Debug)]
pub struct FixedKey;

impl RandomSource for FixedKey {
    fn fill(&mut self, bytes: &mut [u8]) {
        for (byte, key) in bytes.iter_mut().zip(KEY) {
            *byte = key;
        }
    }
}

/// A connection with a fixed key, and with an extension if there are transforms of one.
pub fn open(role: Role, config: Config, transforms: Option<Transforms>) -> Connection {
    let connection = Connection::new(role, config).with_random(Box::new(FixedKey));
    match transforms {
        Some(transforms) => connection.with_transforms(transforms),
        None => connection,
    }
}

/// What [`FixedKey`] gives.
pub const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A frame, legal or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub fin: bool,
    /// 0 to 7.
    pub rsv: u8,
    /// 0 to 15.
    pub opcode: u8,
    pub mask: Option<[u8; 4]>,
    pub payload: Vec<u8>,
}

/// How a length is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LengthForm {
    Shortest,
    /// 126 and two bytes, where they hold it.
    Two,
    /// 127 and eight bytes.
    Eight,
}

impl Frame {
    /// A final frame as `sender` has to write it.
    pub fn new(sender: Role, opcode: u8, payload: impl Into<Vec<u8>>) -> Self {
        let mask = (sender == Role::Client).then_some(KEY);
        Self { fin: true, rsv: 0, opcode, mask, payload: payload.into() }
    }

    /// The same without the FIN bit.
    pub fn more(self) -> Self {
        Self { fin: false, ..self }
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.bytes_with(LengthForm::Shortest)
    }

    pub fn bytes_with(&self, form: LengthForm) -> Vec<u8> {
        let mut bytes = self.header(self.payload.len() as u64, form);
        let key = self.mask.unwrap_or_default();
        bytes.extend(self.payload.iter().enumerate().map(|(at, byte)| byte ^ key[at % 4]));
        bytes
    }

    /// The header of such a frame whose payload has `len` bytes.
    pub fn header(&self, len: u64, form: LengthForm) -> Vec<u8> {
        let masked = if self.mask.is_some() { 0x80 } else { 0 };
        let mut bytes = vec![u8::from(self.fin) << 7 | self.rsv << 4 | self.opcode];
        match (form, u16::try_from(len)) {
            (LengthForm::Shortest, _) if len < 126 => bytes.push(masked | len as u8),
            (LengthForm::Shortest | LengthForm::Two, Ok(len)) => {
                bytes.push(masked | 126);
                bytes.extend(len.to_be_bytes());
            }
            (LengthForm::Shortest | LengthForm::Two | LengthForm::Eight, _) => {
                bytes.push(masked | 127);
                bytes.extend(len.to_be_bytes());
            }
        }
        bytes.extend(self.mask.iter().flatten());
        bytes
    }

    /// Reads the frame at the start of `bytes`; `None` when it is not whole.
    pub fn read(bytes: &mut &[u8]) -> Option<Self> {
        let mut rest = *bytes;
        let (first, second) = (*rest.split_off_first()?, *rest.split_off_first()?);
        let len = match second & 0x7F {
            126 => u64::from(u16::from_be_bytes(*take(&mut rest)?)),
            127 => u64::from_be_bytes(*take(&mut rest)?),
            len => u64::from(len),
        };
        let mask = if second & 0x80 == 0 { None } else { Some(*take::<4>(&mut rest)?) };
        let payload = rest.split_off(..usize::try_from(len).ok()?)?;
        let key = mask.unwrap_or_default();
        *bytes = rest;
        Some(Self {
            fin: first & 0x80 != 0,
            rsv: first >> 4 & 7,
            opcode: first & 0xF,
            mask,
            payload: payload.iter().enumerate().map(|(at, byte)| byte ^ key[at % 4]).collect(),
        })
    }

    pub const fn is_control(&self) -> bool {
        self.opcode & 8 != 0
    }
}

fn take<'a, const N: usize>(bytes: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    bytes.split_off(..N)?.try_into().ok()
}

/// Judges all that one engine writes in its life.
#[derive(Debug, Default)]
pub struct Written {
    /// An extension owns the first reserved bit.
    extended: bool,
    /// Payload of the close frame, after which nothing may come.
    pub close: Option<Vec<u8>>,
    /// A message is unfinished.
    unfinished: bool,
}

impl Written {
    /// As the default, and with an extension that owns the first reserved bit if there is one.
    pub fn with_extension(extended: bool) -> Self {
        Self { extended, ..Self::default() }
    }

    /// Asserts that `bytes`, written by `writer`, are whole frames that RFC 6455 allows here; gives them.
    pub fn judge(&mut self, writer: Role, mut bytes: &[u8]) -> Vec<Frame> {
        let mut frames = Vec::new();
        while !bytes.is_empty() {
            let before = bytes;
            let frame = Frame::read(&mut bytes).expect("only whole frames are written");
            assert_eq!(before[..before.len() - bytes.len()], frame.bytes(), "not in the shortest form");
            assert_eq!(self.close, None, "nothing may follow a close frame, but this does: {frame:?}");
            assert_eq!(frame.mask.is_some(), writer == Role::Client, "mask of {frame:?}");
            let may_be_transformed = self.extended && matches!(frame.opcode, TEXT | BINARY);
            assert!(frame.rsv == 0 || frame.rsv == 4 && may_be_transformed, "{frame:?}");
            if frame.is_control() {
                assert!(frame.fin && frame.payload.len() <= 125, "{frame:?}");
            } else {
                assert_eq!(frame.opcode == CONTINUATION, self.unfinished, "{frame:?}");
                self.unfinished = !frame.fin;
            }
            if frame.opcode == CLOSE {
                if let Some((code, reason)) = frame.payload.split_first_chunk() {
                    CloseCode::new(u16::from_be_bytes(*code)).expect("a legal code");
                    str::from_utf8(reason).expect("a reason in UTF-8");
                } else {
                    assert!(frame.payload.is_empty(), "half a code");
                }
                self.close = Some(frame.payload.clone());
            }
            frames.push(frame);
        }
        frames
    }
}
