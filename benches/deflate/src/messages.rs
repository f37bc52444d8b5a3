//! The messages that all compress: JSON as services send it, each different from those before.

/// Different messages, sent one after the other, again and again: more than fit into a window.
const MESSAGES: usize = 64;

/// Orders of a shop, cut at `size` bytes.
pub fn messages(size: usize) -> Vec<String> {
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    let mut draw = |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 16) % below
    };
    let message = |draw: &mut dyn FnMut(u64) -> u64| {
        let mut text = String::with_capacity(size + 256);
        while text.len() < size {
            text += &format!(
                "{{\"id\":{},\"user\":\"{}\",\"status\":\"{}\",\"total\":{}.{:02},\"items\":{},\"at\":\"2026-{:02}-{:02}T{:02}:{:02}:00Z\"}},",
                draw(1_000_000_000),
                ["anna", "boris", "chidi", "dolores", "emre", "fatima"][draw(6) as usize],
                ["open", "paid", "shipped", "returned"][draw(4) as usize],
                draw(1000),
                draw(100),
                1 + draw(20),
                1 + draw(12),
                1 + draw(28),
                draw(24),
                draw(60),
            );
        }
        text.truncate(size);
        text
    };
    (0..MESSAGES).map(|_| message(&mut draw)).collect()
}
