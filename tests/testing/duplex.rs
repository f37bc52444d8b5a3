//! The connection in memory.

use std::{io::ErrorKind, iter::repeat};

use futures::{AsyncReadExt, AsyncWriteExt};
use wscope::{
    move_on_after,
    scope::Join,
    testing::{Fault, Simulation, duplex},
};

use super::SECOND;
use std::time::Duration;

#[test]
fn carries_bytes_both_ways() {
    Simulation::new().run(async {
        let (mut a, mut b) = duplex(1024);
        a.write_all(b"to b").await.unwrap();
        b.write_all(b"to a!").await.unwrap();
        assert_eq!((a.unread(), b.unread()), (5, 4));
        let mut buffer = [0; 5];
        a.read_exact(&mut buffer).await.unwrap();
        assert_eq!(&buffer, b"to a!");
        drop(b);
        assert_eq!(a.read(&mut buffer).await.unwrap(), 0);
        assert_eq!(a.write(b"x").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn a_write_waits_for_room() {
    for capacity in [0, 1, 7, 1000] {
        Simulation::new().run(async {
            let (mut a, mut b) = duplex(capacity);
            let sent: Vec<u8> = (0..=255).cycle().take(5000).collect();
            let send = async {
                a.write_all(&sent).await.unwrap();
                a.close().await.unwrap();
                assert_eq!(a.write(b"x").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
            };
            let mut received = Vec::new();
            let ((), read) = (send, b.read_to_end(&mut received)).join().await;
            read.unwrap();
            assert!(sent == received);
        });
    }
}

#[test]
fn what_was_sent_before_the_end_can_be_read() {
    Simulation::new().run(async {
        let (mut a, mut b) = duplex(16);
        a.write_all(b"bye").await.unwrap();
        drop(a);
        let mut text = String::new();
        b.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "bye");
    });
}

#[test]
fn an_operation_on_nothing_does_not_wait() {
    Simulation::new().run(async {
        let (mut a, _b) = duplex(1);
        assert_eq!(a.read(&mut []).await.unwrap(), 0);
        a.write_all(b"x").await.unwrap();
        assert_eq!(a.write(&[]).await.unwrap(), 0);
    });
}

#[test]
fn reads_meet_their_faults_in_order() {
    let simulation = Simulation::new();
    simulation.run(async {
        let (mut a, mut b) = duplex(1024);
        a.write_all(b"0123456789").await.unwrap();
        b.script_reads([
            Fault::Short(2),
            Fault::Pending,
            Fault::Pending,
            Fault::Short(0),
            Fault::Delay(SECOND),
            Fault::None,
            Fault::Reset,
        ]);
        let mut buffer = [0; 100];
        assert_eq!(b.read(&mut buffer).await.unwrap(), 2);
        assert_eq!(b.read(&mut buffer).await.unwrap(), 1, "none at all would be the end");
        assert_eq!(simulation.clock().passed(), Duration::ZERO);
        assert_eq!(b.read(&mut buffer).await.unwrap(), 7);
        assert_eq!(simulation.clock().passed(), SECOND);
        for _ in 0..3 {
            assert_eq!(b.read(&mut buffer).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
        }
    });
}

#[test]
fn writes_meet_their_faults_in_order() {
    Simulation::new().run(async {
        let (mut a, mut b) = duplex(1024);
        a.script_writes([Fault::Short(2), Fault::Pending, Fault::Short(3), Fault::Eof]);
        assert_eq!(a.write(b"0123").await.unwrap(), 2);
        assert_eq!(a.write(b"2345").await.unwrap(), 3);
        assert_eq!(a.write(b"5").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
        let mut buffer = [0; 100];
        assert_eq!(b.read(&mut buffer).await.unwrap(), 5);
        assert_eq!(&buffer[..5], b"01234");
    });
}

#[test]
fn a_cut_cable_is_silent() {
    Simulation::new().run(async {
        let (mut a, mut b) = duplex(4);
        a.script_writes([Fault::Cut]);
        a.write_all(b"more than there is room for").await.unwrap();
        assert_eq!(b.unread(), 0);
        b.write_all(b"x").await.unwrap();
        a.script_reads([Fault::Cut]);
        assert!(move_on_after(SECOND, a.read(&mut [0])).await.is_none());
    });
}

#[test]
fn a_read_that_is_given_up_keeps_its_fault_and_its_bytes() {
    Simulation::new().run(async {
        let (mut a, mut b) = duplex(16);
        b.script_reads([Fault::Short(1), Fault::Delay(SECOND * 10), Fault::Short(2)]);
        assert!(move_on_after(SECOND, b.read(&mut [0; 9])).await.is_none());
        a.write_all(b"abcdef").await.unwrap();
        assert_eq!(b.read(&mut [0; 9]).await.unwrap(), 1);
        assert!(move_on_after(SECOND, b.read(&mut [0; 9])).await.is_none());
        assert_eq!(b.read(&mut [0; 9]).await.unwrap(), 2);
        assert_eq!(b.unread(), 3);
    });
}

#[test]
fn a_script_may_never_end() {
    Simulation::new().run(async {
        let (mut a, mut b) = duplex(16);
        b.script_reads(repeat(Fault::Short(1)));
        a.write_all(b"abc").await.unwrap();
        drop(a);
        let mut buffer = [0; 16];
        for _ in 0..3 {
            assert_eq!(b.read(&mut buffer).await.unwrap(), 1);
        }
        assert_eq!(b.read(&mut buffer).await.unwrap(), 0);
    });
}

#[test]
fn the_end_and_a_reset_are_final_in_either_direction() {
    Simulation::new().run(async {
        let (mut a, mut b) = duplex(16);
        b.write_all(b"never read").await.unwrap();
        a.script_reads([Fault::Eof, Fault::None]);
        a.script_writes([Fault::Reset, Fault::None]);
        for _ in 0..3 {
            assert_eq!(a.read(&mut [0; 4]).await.unwrap(), 0);
            assert_eq!(a.write(b"x").await.unwrap_err().kind(), ErrorKind::ConnectionReset);
        }
        a.flush().await.unwrap();
        assert_eq!(format!("{a:?}"), "DuplexStream { unread: 10, .. }");
        assert_eq!(b.unread(), 0);
    });
}

#[test]
fn a_delay_longer_than_the_clock_can_tell_never_ends() {
    Simulation::new().run(async {
        let (mut a, mut b) = duplex(16);
        a.script_writes([Fault::Delay(Duration::MAX)]);
        for _ in 0..2 {
            assert!(move_on_after(SECOND, a.write(b"x")).await.is_none());
        }
        assert!(move_on_after(SECOND, b.read(&mut [0])).await.is_none());
    });
}
