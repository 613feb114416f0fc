//! Points of virtual time as dates.

use grenadier_clock::Time;

/// Days from 1970-01-01 to 2026-01-01, the date on which every run begins.
const EPOCH_DAYS: i64 = 20_454;

/// `2026-01-01T00:00:01.5Z`: the fixed date on which runs begin plus virtual time, in the form of `xsd:dateTime`.
pub(crate) fn date_time(at: Time) -> String {
    let micros = at.as_ns() / 1_000;
    let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
    let (year, month, day) = civil(EPOCH_DAYS + (seconds / 86_400) as i64);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

/// The Gregorian date `days` after 1970-01-01, counted in eras of 400 years that begin in March.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn runs_begin_in_2026_and_leap_days_exist() {
        assert_eq!(date_time(Time::ZERO), "2026-01-01T00:00:00.000000Z");
        assert_eq!(date_time(Time::ZERO + Duration::from_millis(90_061_001)), "2026-01-02T01:01:01.001000Z");
        let leap = Duration::from_secs((365 + 365 + 59) * 86_400);
        assert_eq!(&date_time(Time::ZERO + leap)[..10], "2028-02-29");
    }
}
