use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

proptest! {
    #[test]
    fn maps_are_as_the_standard_librarys(
        steps in prop::collection::vec((0u8..4, 0u8..12, any::<u8>()), 0..60),
        more in prop::collection::vec((0u8..12, any::<u8>()), 0..20),
    ) {
        let (mut own, mut model) = (Map::new(), BTreeMap::new());
        for (step, key, value) in steps {
            match step {
                0 => prop_assert_eq!(own.insert(key, value), model.insert(key, value)),
                1 => prop_assert_eq!(own.or_insert_with(key, || value), model.entry(key).or_insert(value)),
                2 => prop_assert_eq!(own.remove(&key), model.remove(&key)),
                _ => prop_assert_eq!(own.get(&key), model.get(&key)),
            }
        }
        own.extend(more.clone());
        model.extend(more);
        prop_assert_eq!(own.is_empty(), model.is_empty());
        prop_assert!(own.iter().eq(model.iter()) && own.keys().eq(model.keys()) && own.values().eq(model.values()));
        prop_assert!(own.into_iter().eq(model));
    }

    #[test]
    fn sets_are_as_the_standard_librarys(
        values in prop::collection::vec(0u8..12, 0..20),
        others in prop::collection::vec(0u8..12, 0..20),
        one in 0u8..12,
    ) {
        let (mut own, theirs): (Set<u8>, Set<u8>) = (values.iter().copied().collect(), others.iter().copied().collect());
        let (mut model, other): (BTreeSet<u8>, BTreeSet<u8>) = (values.into_iter().collect(), others.into_iter().collect());
        prop_assert_eq!(own.first_difference(&theirs), model.symmetric_difference(&other).next());
        prop_assert_eq!(own.is_subset(&theirs), model.is_subset(&other));
        prop_assert_eq!(own.contains(&one), model.contains(&one));
        prop_assert_eq!(own.insert(one), model.insert(one));
        prop_assert_eq!((own.len(), own.is_empty()), (model.len(), model.is_empty()));
        prop_assert!(own.iter().eq(model.iter()));
    }

    #[test]
    fn what_is_gathered_keeps_its_first_values(entries in prop::collection::vec((0u8..200, any::<u8>()), 0..400)) {
        let (mut own, mut model) = (Gathered::default(), BTreeMap::new());
        for (key, value) in entries {
            own.add(key, value);
            model.entry(key).or_insert(value);
            if value == 0 {
                prop_assert!(own.settle().iter().map(|(key, value)| (key, value)).eq(model.iter()));
            }
        }
        prop_assert!(own.into_entries().into_iter().eq(model));
    }
}
