//! The way to the network: one GET, from a byte on. Nothing else in git-ar speaks HTTP.

use std::io::Read;
use std::time::Duration;

use ureq::http::{HeaderMap, StatusCode, Uri, header};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Error, Proxy};

use super::Trouble;
use crate::state::problem::{Kind, Problem};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(20);
/// How long a server may be silent.
const SILENCE: Duration = Duration::from_secs(60);

/// What is known of the network here.
pub struct Net {
    plain: Option<Proxy>,
    secure: Option<Proxy>,
    direct: Vec<String>,
    roots: RootCerts,
    pause: Duration,
}

/// What a server sends.
pub(super) struct Answer {
    /// The place of the first byte.
    pub(super) start: u64,
    /// The size of the whole file, where the server says it.
    pub(super) total: Option<u64>,
    /// The bytes.
    pub(super) body: Box<dyn Read>,
}

impl Net {
    /// Reads `http_proxy`, `https_proxy`, `all_proxy`, `no_proxy` (also in capitals) and `SSL_CERT_FILE`. `pause` is
    /// waited after an attempt that brought nothing.
    pub fn new(env: &dyn Fn(&str) -> Option<String>, pause: Duration) -> Result<Self, Problem> {
        let set = |name: &str| env(name).or_else(|| env(&name.to_uppercase())).filter(|value| !value.is_empty());
        let proxy = |name: &str| -> Result<Option<Proxy>, Problem> {
            let Some(address) = set(name).or_else(|| set("all_proxy")) else { return Ok(None) };
            let wrong = |_| Problem::new(Kind::Usage, "proxy", format!("{name} holds no proxy that can be used"));
            Proxy::new(&address).map(Some).map_err(wrong)
        };
        let direct = set("no_proxy").unwrap_or_default();
        Ok(Self {
            plain: proxy("http_proxy")?,
            secure: proxy("https_proxy")?,
            direct: direct.split(',').map(|host| host.trim().trim_start_matches('.').to_lowercase()).collect(),
            roots: set("ssl_cert_file").map_or(Ok(RootCerts::WebPki), |file| roots(&file))?,
            pause,
        })
    }

    /// Waits before attempt number `idle + 1`.
    pub(super) fn pause(&self, idle: usize) {
        std::thread::sleep(self.pause * u32::try_from(idle).unwrap_or(1));
    }

    /// The bytes behind an address from `start` on, or from 0 where the server cannot do that.
    pub(super) fn get(&self, address: &str, start: u64) -> Result<Answer, Trouble> {
        let agent = self.agent(address)?;
        let mut request = agent.get(address).header(header::ACCEPT_ENCODING, "identity");
        if start > 0 {
            request = request.header(header::RANGE, format!("bytes={start}-"));
        }
        let response = request.call().map_err(|error| trouble(&error))?;
        let (head, body) = response.into_parts();
        let body: Box<dyn Read> = Box::new(body.into_reader());
        match head.status {
            StatusCode::OK => {
                let total = text(&head.headers, header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
                Ok(Answer { start: 0, total, body })
            }
            StatusCode::PARTIAL_CONTENT => {
                let told = text(&head.headers, header::CONTENT_RANGE).and_then(range);
                let (start, total) =
                    told.ok_or_else(|| Trouble::Other("sends a part and does not say which".into()))?;
                Ok(Answer { start, total, body })
            }
            // The file there ends before our part does: not what our part is of.
            StatusCode::RANGE_NOT_SATISFIABLE => Ok(Answer { start: u64::MAX, total: None, body }),
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Err(Trouble::Away(format!("answers {status}")))
            }
            status => Err(Trouble::Other(format!("answers {status}"))),
        }
    }

    fn agent(&self, address: &str) -> Result<Agent, Trouble> {
        let wrong = || Trouble::Other("is no address that can be fetched (http:// or https://)".into());
        let uri: Uri = address.parse().map_err(|_| wrong())?;
        let host = uri.host().ok_or_else(wrong)?.to_lowercase();
        let proxy = match uri.scheme_str() {
            Some("http") => &self.plain,
            Some("https") => &self.secure,
            _ => return Err(wrong()),
        };
        let is_direct = self.direct.iter().any(|name| is_below(&host, name));
        Ok(Agent::config_builder()
            .http_status_as_error(false)
            .proxy(proxy.clone().filter(|_| !is_direct))
            .tls_config(TlsConfig::builder().root_certs(self.roots.clone()).build())
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(SILENCE))
            .timeout_per_read(Some(SILENCE))
            .user_agent(concat!("git-ar/", env!("CARGO_PKG_VERSION")))
            .build()
            .into())
    }
}

/// Whether an entry of `no_proxy` means this host.
fn is_below(host: &str, name: &str) -> bool {
    name == "*" || host == name || (!name.is_empty() && host.ends_with(&format!(".{name}")))
}

/// The certificates of a PEM file.
fn roots(file: &str) -> Result<RootCerts, Problem> {
    let wrong = |message: String| Problem::new(Kind::Usage, "certificates", message).at(file);
    let pem = std::fs::read(file).map_err(|e| wrong(format!("SSL_CERT_FILE cannot be read: {e}")))?;
    let certificates: Vec<Certificate<'static>> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(wrong("SSL_CERT_FILE holds no certificate".into()));
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// First byte and size of the whole from `bytes 100-199/200`; the size may be `*`.
fn range(text: &str) -> Option<(u64, Option<u64>)> {
    let (places, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    Some((places.split_once('-')?.0.trim().parse().ok()?, total.trim().parse().ok()))
}

/// What a request that brought no answer means.
fn trouble(error: &Error) -> Trouble {
    match error {
        Error::BadUri(_) | Error::Http(_) | Error::TooManyRedirects | Error::RedirectFailed => {
            Trouble::Other(error.to_string())
        }
        _ => Trouble::Away(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        assert_eq!(range("bytes 100-199/200"), Some((100, Some(200))));
        assert_eq!(range("bytes 0-0/*"), Some((0, None)));
        assert_eq!((range("bytes */200"), range("lines 1-2/3"), range("")), (None, None, None));
    }

    #[test]
    fn hosts_that_are_reached_directly() {
        for (host, name, expected) in [
            ("a.org", "a.org", true),
            ("b.a.org", "a.org", true),
            ("ba.org", "a.org", false),
            ("a.org", "*", true),
            ("a.org", "", false),
        ] {
            assert_eq!(is_below(host, name), expected, "{host} {name}");
        }
    }
}
