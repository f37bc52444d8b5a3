//! Times as Python writes them.

use std::time::Duration;

use wscope::link::Timestamp;

#[test]
fn a_time_is_written_as_isoformat_and_read_back() {
    // Seconds since 1970, nanoseconds, text: from Python's datetime.
    const TABLE: &[(u64, u64, &str)] = &[
        (0, 0, "1970-01-01T00:00:00+00:00"),
        (0, 1_000, "1970-01-01T00:00:00.000001+00:00"),
        (951_782_399, 0, "2000-02-28T23:59:59+00:00"),
        (951_782_400, 0, "2000-02-29T00:00:00+00:00"),
        (951_868_800, 0, "2000-03-01T00:00:00+00:00"),
        (1_795_242_941, 727_792_000, "2026-11-21T06:35:41.727792+00:00"),
        (4_107_542_400, 0, "2100-03-01T00:00:00+00:00"),
        (18_446_744_073, 709_551_000, "2554-07-21T23:34:33.709551+00:00"),
    ];
    for (seconds, nanos, text) in TABLE {
        let time = Timestamp::from_nanos(seconds * 1_000_000_000 + nanos);
        assert_eq!(time.to_string(), *text);
        assert_eq!(text.parse(), Ok(time), "{text}");
    }
}

#[test]
fn every_day_for_five_centuries_is_read_back() {
    let day = Duration::from_secs(86_400);
    let mut time = Timestamp::from_nanos(0);
    for _ in 0..213_000 {
        assert_eq!(time.to_string().parse(), Ok(time));
        time = time.after(day);
    }
}

#[test]
fn a_fraction_below_a_microsecond_is_not_written() {
    assert_eq!(Timestamp::from_nanos(999).to_string(), "1970-01-01T00:00:00+00:00");
}

#[test]
fn what_is_no_time_in_utc_is_refused() {
    for text in [
        "",
        "2026-11-21",
        "2026-11-21T06:35:41",
        "2026-11-21T06:35:41+01:00",
        "2026-11-31T06:35:41+00:00",
        "2026-13-01T06:35:41+00:00",
        "2026-00-01T06:35:41+00:00",
        "2026-01-00T06:35:41+00:00",
        "2025-02-29T06:35:41+00:00",
        "2026-11-21T24:00:00+00:00",
        "2026-11-21T06:60:00+00:00",
        "2026-11-21T06:35:60+00:00",
        "2026-11-21T06:35:41.1234567890+00:00",
        "+026-11-21T06:35:41+00:00",
        "1969-12-31T23:59:59+00:00",
        "9999-12-31T23:59:59+00:00",
        "2026-11-21T06:35:4\u{661}+00:00",
    ] {
        assert!(text.parse::<Timestamp>().is_err(), "{text}");
    }
    assert!("2026-11-21T06:35:41Z".parse::<Timestamp>().is_ok());
    assert!("2026-11-21T06:35:41.5Z".parse::<Timestamp>().is_ok());
}

#[test]
fn time_has_an_end_and_stays_there() {
    assert_eq!(Timestamp::from_nanos(1).after(Duration::MAX), Timestamp::from_nanos(u64::MAX));
}
