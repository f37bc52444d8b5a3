//! Heads of messages as the tests read them: a plain implementation that shares no code with the engine, and that panics
//! where a head is not clean.

/// One head.
#[derive(Debug)]
pub struct Head {
    /// The request line or status line.
    pub start: String,
    /// Names in lower case, values without white space around them.
    pub headers: Vec<(String, String)>,
    /// Bytes of the head, its empty line included.
    pub len: usize,
    /// Bytes of the longest line, without its end.
    pub longest: usize,
}

impl Head {
    /// Reads the head at the start of `bytes`. What is not UTF-8 becomes a mark.
    pub fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("an empty line");
        let (len, mut lines) = (end + 4, Vec::new());
        let mut rest = &bytes[..end];
        while let Some(at) = rest.windows(2).position(|window| window == b"\r\n") {
            lines.push(&rest[..at]);
            rest = &rest[at + 2..];
        }
        lines.push(rest);
        let longest = lines.iter().map(|line| line.len()).max().unwrap_or(0);
        let mut lines = lines.into_iter().map(|line| {
            assert!(
                line.iter().all(|byte| !byte.is_ascii_control() || *byte == b'\t'),
                "{}",
                line.escape_ascii()
            );
            String::from_utf8_lossy(line).into_owned()
        });
        let start = lines.next().expect("a start line");
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(':').expect("a colon");
            assert!(!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic()), "{line}");
            (name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).to_owned())
        });
        Self { start, headers: headers.collect(), len, longest }
    }

    /// The values of a header.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect()
    }

    /// Whether one of the comma lists in this header holds `token`, in any case.
    pub fn lists(&self, name: &str, token: &str) -> bool {
        let elements = self.all(name);
        let mut elements = elements.iter().flat_map(|value| value.split(','));
        elements.any(|element| element.trim_matches([' ', '\t']).eq_ignore_ascii_case(token))
    }

    /// Whether there is any element in this header.
    pub fn lists_any(&self, name: &str) -> bool {
        self.all(name).iter().any(|value| !value.trim_matches([' ', '\t', ',']).is_empty())
    }
}
