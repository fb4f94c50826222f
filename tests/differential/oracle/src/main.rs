//! Which methods the node executes for each message: serde_json with structs of jsonrpsee's shape.
//!
//! From standard input, blocks of messages: their number, then the size and the bytes of each. To standard output, for
//! each message of a block: the number of calls executed, then each one's place in the batch, its method and its params, their
//! sizes before them (no params and null are empty). All numbers have 32 bits, in little-endian order. A block is read whole before it is answered.
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read, Write};

struct Version;

struct VersionVisitor;

impl<'de> Visitor<'de> for VersionVisitor {
    type Value = Version;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("the version 2.0")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Version, E> {
        if text == "2.0" {
            Ok(Version)
        } else {
            Err(E::custom("another version"))
        }
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Version, D::Error> {
        from.deserialize_str(VersionVisitor)
    }
}

#[derive(serde::Deserialize)]
#[serde(untagged, deny_unknown_fields)]
#[allow(dead_code)]
enum Id<'a> {
    Null,
    Number(u64),
    #[serde(borrow)]
    Text(Cow<'a, str>),
}

// The order of the members is that of a positional call.
#[derive(serde::Deserialize)]
#[allow(dead_code)]
struct Request<'a> {
    jsonrpc: Version,
    #[serde(borrow)]
    id: Id<'a>,
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

struct Call {
    place: u32,
    method: String,
    params: String,
}

impl Call {
    fn new(place: usize, request: Request) -> Call {
        let params = request.params.map_or(String::new(), |raw| raw.get().to_owned());
        Call { place: place as u32, method: request.method.into_owned(), params }
    }
}

type Executed = Vec<Call>;

fn single(text: &[u8]) -> Executed {
    match serde_json::from_slice::<Request>(text) {
        Ok(request) => vec![Call::new(0, request)],
        Err(_) => vec![],
    }
}

fn batch(text: &[u8]) -> Executed {
    let entries = match serde_json::from_slice::<Vec<&RawValue>>(text) {
        Ok(entries) => entries,
        Err(_) => return vec![],
    };
    let mut executed = vec![];
    for (place, entry) in entries.iter().enumerate() {
        if let Ok(request) = serde_json::from_str::<Request>(entry.get()) {
            executed.push(Call::new(place, request));
        }
    }
    executed
}

fn execute(message: &[u8]) -> Executed {
    let start = message.iter().take(128).position(|byte| !byte.is_ascii_whitespace());
    match start.map(|at| (at, message[at])) {
        Some((at, b'{')) => single(&message[at..]),
        Some((at, b'[')) => batch(&message[at..]),
        _ => vec![],
    }
}

fn read_number(input: &mut impl Read) -> io::Result<u32> {
    let mut bytes = [0; 4];
    input.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

fn main() -> io::Result<()> {
    let mut input = io::BufReader::new(io::stdin());
    let mut output = io::stdout();
    while let Ok(count) = read_number(&mut input) {
        let mut answers = vec![];
        for _ in 0..count {
            let mut message = vec![0; read_number(&mut input)? as usize];
            input.read_exact(&mut message)?;
            let executed = execute(&message);
            answers.extend((executed.len() as u32).to_le_bytes());
            for call in executed {
                answers.extend(call.place.to_le_bytes());
                for text in [call.method, call.params] {
                    answers.extend((text.len() as u32).to_le_bytes());
                    answers.extend(text.as_bytes());
                }
            }
        }
        output.write_all(&answers)?;
        output.flush()?;
    }
    Ok(())
}
