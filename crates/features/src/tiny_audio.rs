//! A short sound, for everything that shows how audio is sent: a twentieth of a second of A4.

use std::{f64::consts::TAU, sync::LazyLock};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rmcp::model::AudioContent;

/// In samples a second.
const RATE: u32 = 8000;
/// In hertz.
const PITCH: f64 = 440.0;
/// In samples.
const LENGTH: u32 = 400;
/// How many samples it takes to come and to go, without which it would crack.
const RAMP: u32 = 80;

static DATA: LazyLock<String> = LazyLock::new(|| STANDARD.encode(wav()));

/// The sound as content.
pub(crate) fn content() -> AudioContent {
    AudioContent::new(DATA.as_str(), "audio/wav")
}

/// A WAVE file of one channel, linear PCM of 8 bits, which is without a sign there.
fn wav() -> Vec<u8> {
    let mut file = Vec::new();
    file.extend(b"RIFF");
    // What follows in this chunk: its kind, the format (8 + 16) and the samples (8 + LENGTH).
    file.extend((4 + 24 + 8 + LENGTH).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    let (pcm, channels, bytes, bits) = (1_u16, 1_u16, 1_u16, 8_u16);
    file.extend(pcm.to_le_bytes());
    file.extend(channels.to_le_bytes());
    file.extend(RATE.to_le_bytes());
    file.extend((RATE * u32::from(bytes)).to_le_bytes());
    file.extend(bytes.to_le_bytes());
    file.extend(bits.to_le_bytes());
    file.extend(b"data");
    file.extend(LENGTH.to_le_bytes());
    file.extend((0..LENGTH).map(sample));
    file
}

fn sample(index: u32) -> u8 {
    let seconds = f64::from(index) / f64::from(RATE);
    let edge = index.min(LENGTH - 1 - index).min(RAMP);
    let loud = f64::from(edge) / f64::from(RAMP);
    let level = 128.0 + 100.0 * loud * (TAU * PITCH * seconds).sin();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 28 to 228")]
    let level = level.round() as u8;
    level
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_wave_file_of_the_length_it_says() {
        let file = STANDARD.decode(&content().data).unwrap();
        let number = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
        assert_eq!((&file[..4], &file[8..16]), (&b"RIFF"[..], &b"WAVEfmt "[..]));
        assert_eq!(number(4) as usize, file.len() - 8);
        assert_eq!((number(24), number(28)), (8000, 8000));
        assert_eq!(&file[36..40], b"data");
        assert_eq!(number(40) as usize, file.len() - 44);
    }

    #[test]
    fn it_can_be_heard() {
        let samples = &wav()[44..];
        let rises = samples.windows(2).filter(|pair| pair[0] < 128 && pair[1] >= 128).count();
        assert!((21..=23).contains(&rises), "440 Hz swing 22 times in 50 ms, this {rises} times");
        let loudest = samples.iter().map(|sample| sample.abs_diff(128)).max().unwrap();
        assert!(loudest > 90, "it is loud");
        assert!(samples[0].abs_diff(128) < 5 && samples[399].abs_diff(128) < 5, "it begins softly");
    }
}
