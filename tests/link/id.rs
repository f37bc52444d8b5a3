//! Ids: their one text, their order.

use wscope::link::{Id, IdSource, Timestamp};

#[test]
fn ids_strictly_increase_whatever_the_clock_does() {
    let mut ids = IdSource::new([1; 32]);
    let clock = [5, 5, 5, 1, 0, 6, 7, 1_000, 2, u64::MAX - 2, 0, 3];
    let made: Vec<Id> = clock.map(|nanos| ids.next(Timestamp::from_nanos(nanos))).to_vec();
    assert!(made.is_sorted_by(|one, other| one < other), "{made:?}");
    assert!(made.is_sorted_by(|one, other| one.to_string() < other.to_string()));
    assert_eq!(made[7].nanos(), 1_000);
}

#[test]
fn a_seed_gives_its_ids_again_and_another_gives_others() {
    let first = |seed| IdSource::new([seed; 32]).next(Timestamp::from_nanos(1));
    assert_eq!(first(1), first(1));
    assert_ne!(first(1), first(2));
}

#[test]
fn only_the_canonical_text_is_an_id() {
    let text = "00000000000000010000000000000002";
    assert_eq!(text.parse::<Id>().unwrap(), Id::new(1, 2));
    assert_eq!(Id::new(1, 2).to_string(), text);
    for wrong in ["", "0", &text[1..], "+0000000000000010000000000000002", "0000000000000001000000000000000G"]
    {
        assert!(wrong.parse::<Id>().is_err(), "{wrong}");
    }
    assert!("0000000000000001000000000000000A".parse::<Id>().is_err());
    assert!("é00000000000000100000000000000".parse::<Id>().is_err());
}

#[test]
fn the_generator_is_not_printed() {
    assert_eq!(format!("{:?}", IdSource::new([1; 32])), "IdSource { last: 0, .. }");
}
