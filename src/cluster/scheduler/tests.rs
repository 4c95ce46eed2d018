use super::*;

#[test]
fn clocks_are_read() {
    for (text, wanted) in [("00:00:05", 5), ("1:00", 60), ("48:00:00", 172_800), ("2-01:00:00", 176_400), ("7", 7)] {
        assert_eq!(seconds(text), Some(wanted), "{text}");
    }
    for bad in ["", "1:2:3:4", "x", "1h", "INVALID", "UNLIMITED", "-1", "1:-2", "99999999999999999999"] {
        assert_eq!(seconds(bad), None, "{bad}");
    }
    assert_eq!(clock(176_405), "49:00:05");
}
