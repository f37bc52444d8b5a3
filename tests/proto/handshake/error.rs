//! What can go wrong, and the status that answers it.

use wscope::proto::{HeadError, ListError, RequestError, ResponseError};

const HEAD_ERRORS: [(HeadError, u16); 15] = [
    (HeadError::NotHttp { byte: 0x16 }, 400),
    (HeadError::StartLine, 400),
    (HeadError::HttpVersion, 505),
    (HeadError::Target, 400),
    (HeadError::StartLineTooLong { limit: 8192 }, 414),
    (HeadError::HeaderTooLong { limit: 8192 }, 431),
    (HeadError::HeadTooLong { limit: 16384 }, 431),
    (HeadError::TooManyHeaders { limit: 100 }, 431),
    (HeadError::BareCr, 400),
    (HeadError::BareLf, 400),
    (HeadError::Control { byte: 0 }, 400),
    (HeadError::FoldedLine, 400),
    (HeadError::SpaceBeforeColon, 400),
    (HeadError::InvalidName { byte: b'(' }, 400),
    (HeadError::InvalidValue, 400),
];

const REQUEST_ERRORS: [(RequestError, u16); 15] = [
    (RequestError::UnexpectedEof { received: 9 }, 400),
    (RequestError::TimedOut { received: 9 }, 408),
    (RequestError::Method, 405),
    (RequestError::Body, 400),
    (RequestError::HostCount { count: 0 }, 400),
    (RequestError::InvalidHost, 400),
    (RequestError::MissingUpgrade, 426),
    (RequestError::MissingConnection, 400),
    (RequestError::VersionCount { count: 0 }, 400),
    (RequestError::UnsupportedVersion, 426),
    (RequestError::KeyCount { count: 2 }, 400),
    (RequestError::InvalidKey, 400),
    (RequestError::Subprotocols(ListError::Empty), 400),
    (RequestError::Extensions(ListError::Empty), 400),
    (RequestError::Head(HeadError::BareCr), 400),
];

#[test]
fn every_fault_of_a_request_has_one_status_and_a_complete_answer() {
    let heads = HEAD_ERRORS.map(|(error, status)| (RequestError::Head(error), status));
    for (error, status) in heads.into_iter().chain(REQUEST_ERRORS) {
        assert_eq!(error.status(), status, "{error:?}");
        let response = error.response();
        assert_eq!(response.status(), status);
        assert_eq!(*response.body(), format!("{error}\n"));
        let headers = response.headers();
        // RFC 9110 §7.8: who sends Upgrade says so in Connection too.
        let options = if status == 426 { "close, Upgrade" } else { "close" };
        assert_eq!(headers["connection"], options, "{error:?}");
        assert_eq!(headers["content-length"], response.body().len().to_string().as_str(), "{error:?}");
        assert_eq!(headers["content-type"], "text/plain; charset=utf-8", "{error:?}");
        // RFC 9110 §15.5.6, §15.5.22; RFC 6455 §4.4
        assert_eq!(headers.contains_key("allow"), status == 405, "{error:?}");
        assert_eq!(headers.contains_key("upgrade"), status == 426, "{error:?}");
        let about_version =
            matches!(error, RequestError::UnsupportedVersion | RequestError::VersionCount { .. });
        assert_eq!(headers.contains_key("sec-websocket-version"), about_version, "{error:?}");
    }
    assert_eq!(RequestError::Method.response().headers()["allow"], "GET");
}

#[test]
fn faults_name_value_limit_and_rule() {
    for (error, message) in [
        (
            RequestError::Head(HeadError::HeadTooLong { limit: 7 }),
            "the head is longer than the limit of 7 bytes (max_head)",
        ),
        (
            RequestError::HostCount { count: 2 },
            "the request has 2 Host headers instead of one (RFC 9112 §3.2)",
        ),
        (RequestError::UnexpectedEof { received: 3 }, "the connection ended 3 bytes into the request"),
        (
            RequestError::TimedOut { received: 3 },
            "the request was not complete in time: 3 bytes of it had come",
        ),
        (
            RequestError::Extensions(ListError::UnexpectedEnd { at: 4 }),
            "the request's Sec-WebSocket-Extensions is malformed: a line of the list ends after 4 bytes, inside an element (RFC 6455 §4.3)",
        ),
    ] {
        assert_eq!(error.to_string(), message);
    }
    let error = ResponseError::SubprotocolNotOffered { subprotocol: "a\r\n".into() };
    assert_eq!(
        error.to_string(),
        r#"the response chooses subprotocol "a\r\n", which was not offered (RFC 6455 §4.1)"#
    );
}
