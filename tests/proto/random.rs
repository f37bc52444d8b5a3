use wscope::proto::{RandomSource, SystemRandom};

#[test]
fn the_system_source_does_not_repeat_itself() {
    let mut source = SystemRandom::default();
    let [mut first, mut second] = [[0; 32]; 2];
    source.fill(&mut first);
    source.fill(&mut second);
    assert_ne!(first, [0; 32]);
    assert_ne!(first, second);
}
