//! Durations as Go prints them, which OpenAI's headers and texts use.

/// `milliseconds` as Go's `time.Duration` is printed: `0s`, `644ms`, `18.642s`, `7m12s`, `2h24m3.5s`.
pub(crate) fn go(milliseconds: u64) -> String {
    if milliseconds == 0 {
        return String::from("0s");
    }
    if milliseconds < 1_000 {
        return format!("{milliseconds}ms");
    }
    let (seconds, fraction) = (milliseconds / 1_000, milliseconds % 1_000);
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    let hours_text = if hours > 0 { format!("{hours}h") } else { String::new() };
    let minutes_text = if hours > 0 || minutes > 0 { format!("{minutes}m") } else { String::new() };
    let fraction_text = if fraction > 0 { format!(".{fraction:03}") } else { String::new() };
    format!("{hours_text}{minutes_text}{}{}s", seconds % 60, fraction_text.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_go_writes_them() {
        #[track_caller]
        fn check(milliseconds: u64, expected: &str) {
            assert_eq!(go(milliseconds), expected);
        }
        check(0, "0s");
        check(6, "6ms");
        check(644, "644ms");
        check(1_000, "1s");
        check(10_000, "10s");
        check(18_642, "18.642s");
        check(8_640, "8.64s");
        check(60_000, "1m0s");
        check(86_400, "1m26.4s");
        check(432_000, "7m12s");
        check(3_600_000, "1h0m0s");
        check(8_643_500, "2h24m3.5s");
        check(u64::MAX, "5124095576030h25m51.615s");
    }
}
