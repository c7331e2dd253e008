//! Makes new inputs from old ones: blindly, but with the words that formats are made of.

/// A generator of numbers that is the same everywhere (xorshift64*).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The same seed gives the same numbers.
    pub fn new(seed: u64) -> Self {
        // Zero would stay zero.
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Less than `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

/// Longest input: enough for several buffers of every reader.
const LONGEST: usize = 256 << 10;

/// What formats are made of, and what breaks them.
const WORDS: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"'",
    b"\\",
    b",",
    b":",
    b";",
    b"|",
    b"\n",
    b"\r\n",
    b"\t",
    b"  ",
    b"- ",
    b"<",
    b">",
    b"/>",
    b"</",
    b"<!--",
    b"-->",
    b"<![CDATA[",
    b"]]>",
    b"<!DOCTYPE x [",
    b"<?xml version='1.0' encoding='utf-16'?>",
    b"&amp;",
    b"&#0;",
    b"&#x110000;",
    b"&x;",
    b"xmlns:a='b'",
    b"null",
    b"true",
    b"NaN",
    b"Infinity",
    b"1e999",
    b"-0",
    b"9223372036854775808",
    b"1e-400",
    b"18446744073709551616",
    b"\\u0000",
    b"\\ud800",
    b"\\x00",
    b"\0",
    b"\xff",
    b"\xc3\x28",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xf0\x9f\x98\x80",
    b"$",
    b"$.",
    b"$..",
    b"@",
    b"?@.a=='b'",
    b"[:]",
    b"[-1]",
    b"[::0]",
    b"`this`",
    b"`parent`",
    b"lambda x: ",
    b"value",
    b"get('a')",
    b" if ",
    b" else ",
    b" or ",
    b" and ",
    b" in ",
    b" is not None",
    b"(",
    b")",
    b"**",
    b"//",
    b"*9999999",
    b"for x in value",
    b".split()",
    b".join(",
    b"int(",
    b"str(",
    b"date(",
    b"match('",
    b"&a",
    b"*a",
    b"<<: ",
    b"!!binary ",
    b"|\n",
    b"${SET}",
    b"${",
    b"${NONE:-",
    b"---\n",
    b"2024-02-30",
    b"2024-01-24T05:15:05Z",
    b"_id",
    b"_source",
    b"_index",
    b"hits",
    b"items",
    b"errors",
    b"status",
    b"error",
    b"buckets",
    b"aggregations",
    b"value",
];

/// Another input.
pub fn mutated(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(8) {
        change(&mut bytes, seeds, random);
    }
    bytes.truncate(LONGEST);
    bytes
}

fn change(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Random) {
    let at = random.below(bytes.len() + 1);
    let length = match random.below(4) {
        0 => random.below(bytes.len() + 1),
        _ => random.below(16),
    };
    let end = (at + length).min(bytes.len());
    match random.below(10) {
        0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
        1 if at < bytes.len() => bytes[at] = random.below(256) as u8,
        2 => drop(bytes.drain(at..end)),
        3 => {
            let piece = bytes[at..end].to_vec();
            insert(bytes, at, &piece);
        }
        // Deep or long.
        4 => {
            let piece = match random.below(2) {
                0 => bytes[at..end.min(at + 8)].to_vec(),
                _ => WORDS[random.below(WORDS.len())].to_vec(),
            };
            let times = 1 << random.below(13);
            insert(bytes, at, &piece.repeat(times));
        }
        5 => {
            let other = &seeds[random.below(seeds.len())];
            let from = random.below(other.len() + 1);
            let piece = other[from..(from + length).min(other.len())].to_vec();
            insert(bytes, at, &piece);
        }
        6 => bytes.truncate(at),
        _ => {
            let word = WORDS[random.below(WORDS.len())];
            insert(bytes, at, word);
        }
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    if bytes.len() + piece.len() <= LONGEST {
        bytes.splice(at..at, piece.iter().copied());
    }
}
