//! Certificates made on the spot: an authority of our own, and servers that it has signed, well or badly.
#![allow(dead_code, reason = "each binary needs some of it")]

use openssl::{
    asn1::Asn1Time,
    bn::{BigNum, MsbOption},
    ec::{EcGroup, EcKey},
    hash::MessageDigest,
    nid::Nid,
    pkey::{PKey, Private},
    x509::{
        X509, X509NameBuilder,
        extension::{BasicConstraints, SubjectAlternativeName},
    },
};

/// A certificate and its key.
pub(crate) struct Certified {
    pub(crate) certificate: X509,
    pub(crate) key: PKey<Private>,
}

impl Certified {
    /// The certificate in PEM.
    pub(crate) fn pem(&self) -> Vec<u8> {
        self.certificate.to_pem().unwrap()
    }

    /// The key, PKCS#8 in PEM.
    pub(crate) fn key(&self) -> Vec<u8> {
        self.key.private_key_to_pem_pkcs8().unwrap()
    }

    /// A server that signs for itself.
    pub(crate) fn self_signed(hosts: &[&str]) -> Self {
        make("self-signed", hosts, (-1, 1), None)
    }
}

/// An authority, with a root certificate of its own.
pub(crate) struct Authority(Certified);

impl Authority {
    pub(crate) fn new() -> Self {
        Self(make("test authority", &[], (-365, 365), None))
    }

    pub(crate) fn root(&self) -> &Certified {
        &self.0
    }

    /// An authority below this one.
    pub(crate) fn intermediate(&self) -> Self {
        Self(make("test authority below", &[], (-1, 1), Some(&self.0)))
    }

    /// A server of `hosts`, names or addresses.
    pub(crate) fn server(&self, hosts: &[&str]) -> Certified {
        make("server", hosts, (-1, 1), Some(&self.0))
    }

    /// A server whose certificate is good from the first to the second day, seen from today.
    pub(crate) fn server_between(&self, hosts: &[&str], days: (i64, i64)) -> Certified {
        make("server", hosts, days, Some(&self.0))
    }
}

/// Without hosts: an authority. Without an issuer: signed by itself.
fn make(name: &str, hosts: &[&str], days: (i64, i64), issuer: Option<&Certified>) -> Certified {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let mut subject = X509NameBuilder::new().unwrap();
    subject.append_entry_by_text("CN", name).unwrap();
    let subject = subject.build();
    let mut serial = BigNum::new().unwrap();
    serial.rand(127, MsbOption::MAYBE_ZERO, false).unwrap();

    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_serial_number(&serial.to_asn1_integer().unwrap()).unwrap();
    builder.set_subject_name(&subject).unwrap();
    builder.set_issuer_name(issuer.map_or(&*subject, |issuer| issuer.certificate.subject_name())).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.set_not_before(&day(days.0)).unwrap();
    builder.set_not_after(&day(days.1)).unwrap();
    if hosts.is_empty() {
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
    } else {
        let mut names = SubjectAlternativeName::new();
        for host in hosts {
            match host.parse::<std::net::IpAddr>() {
                Ok(_) => names.ip(host),
                Err(_) => names.dns(host),
            };
        }
        let names = names.build(&builder.x509v3_context(None, None)).unwrap();
        builder.append_extension(names).unwrap();
    }
    builder.sign(issuer.map_or(&key, |issuer| &issuer.key), MessageDigest::sha256()).unwrap();
    Certified { certificate: builder.build(), key }
}

/// So many days from now.
fn day(days: i64) -> Asn1Time {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Asn1Time::from_unix(i64::try_from(now.as_secs()).unwrap() + days * 24 * 3600).unwrap()
}
