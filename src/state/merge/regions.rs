//! Generated regions of a text that is merged by lines: they are rendered anew, so they are made equal beforehand and
//! never conflict.

use crate::state::region;

/// The three versions (base, ours, theirs) with every region that two of them share made equal, and whether ours and
/// theirs differed in one. Where markers make no sense the texts are as they were.
#[must_use]
pub fn agree(path: &str, versions: [&str; 3]) -> ([String; 3], bool) {
    let mut texts = versions.map(str::to_string);
    let mut differed = false;
    let Ok(regions) = region::find(path, versions[1]) else { return (texts, false) };
    for name in regions.into_iter().map(|region| region.name) {
        let whole = |text: &String| {
            let found = region::find(path, text).ok()?.into_iter().find(|region| region.name == name)?;
            Some(found.whole)
        };
        let places = texts.each_ref().map(whole);
        let [base, Some(ours), Some(theirs)] = places else { continue };
        let said = [&texts[1][ours.clone()], &texts[2][theirs.clone()]];
        if said[0] == said[1] {
            continue;
        }
        let base_said = base.clone().map(|at| &texts[0][at]);
        differed |= base_said != Some(said[0]) && base_said != Some(said[1]);
        let wanted = if base_said == Some(said[0]) { said[1] } else { said[0] }.to_string();
        for (text, place) in texts.iter_mut().zip([base, Some(ours), Some(theirs)]) {
            if let Some(place) = place {
                text.replace_range(place, &wanted);
            }
        }
    }
    (texts, differed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_never_differ_and_the_rest_is_left() {
        let text = |before: &str, body: &str| format!("{before}\n{}after\n", region::render("board mnist", body));
        let (base, ours, theirs) = (text("a", "1\n"), text("b", "2\n"), text("a", "3\n"));
        let (texts, differed) = agree("README.md", [&base, &ours, &theirs]);
        assert!(differed);
        assert_eq!(texts, [text("a", "2\n"), text("b", "2\n"), text("a", "2\n")]);
        let (texts, differed) = agree("README.md", [&base, &base, &theirs]);
        assert!(!differed && texts[1] == theirs);
        let broken = format!("{base}<!-- ar:end x -->\n");
        assert_eq!(agree("README.md", [&base, &broken, &theirs]).0, [base.clone(), broken.clone(), theirs]);
    }
}
