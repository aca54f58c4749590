//! Signed feeds, verified by openssl from the formats' descriptions: usign's for opkg, a block in the ADB for apk.

use crate::adb;
use crate::packing::{
    ARCHITECTURE, PROGRAM, ROOT, Scratch, gunzip, hex, only, packer, refuses, sha256, succeeds, text,
};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const ED25519: &[&str] = &["-algorithm", "ed25519"];
const PRIME256V1: &[&str] = &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];

fn key(scratch: &Scratch, name: &str, kind: &[&str]) -> PathBuf {
    let path = scratch.join(name);
    succeeds(openssl("genpkey").args(kind).arg("-out").arg(&path));
    path
}

fn openssl(command: &str) -> Command {
    let mut openssl = Command::new("openssl");
    openssl.arg(command);
    openssl
}

fn public(scratch: &Scratch, key: &Path) -> PathBuf {
    let path = scratch.join("public.pem");
    succeeds(openssl("pkey").arg("-in").arg(key).args(["-pubout", "-out"]).arg(&path));
    path
}

fn sign(scratch: &Scratch, keys: &[&Path]) -> PathBuf {
    let program = scratch.file("program", PROGRAM);
    let output = scratch.join("signed");
    let mut command = packer(Path::new(ROOT), &program, &output);
    for key in keys {
        command.arg("--sign-key").arg(key);
    }
    succeeds(&mut command);
    output
}

/// The second line of signify's files: a comment first, then letters that stand for bytes.
fn signify(scratch: &Scratch, file: &[u8]) -> Vec<u8> {
    let file = text(file);
    let (comment, data) = file.split_once('\n').unwrap();
    assert!(comment.starts_with("untrusted comment: "), "{comment}");
    succeeds(Command::new("base64").arg("-d").arg(scratch.file("base64", data))).stdout
}

#[test]
fn opkg_s_index_is_signed_like_usign_does() {
    let scratch = Scratch::new();
    let key = key(&scratch, "opkg.key", ED25519);
    let output = sign(&scratch, &[&key]);
    let feed = output.join(ARCHITECTURE);

    let names: Vec<PathBuf> = fs::read_dir(output.join("keys")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [public_file] = &names[..] else { panic!("{names:?}") };
    let known = signify(&scratch, &fs::read(public_file).unwrap());
    let signature = signify(&scratch, &fs::read(feed.join("Packages.sig")).unwrap());
    assert_eq!((known.len(), signature.len()), (2 + 8 + 32, 2 + 8 + 64));
    assert_eq!((&known[..2], &known[..10]), (&b"Ed"[..], &signature[..10]), "the kind, and the key's fingerprint");
    // opkg looks for a file of that name.
    assert_eq!(public_file.file_name().unwrap().to_str().unwrap(), hex(&known[2..10]));

    let public = public(&scratch, &key);
    let verify = |message: Vec<u8>| {
        let mut verify = openssl("pkeyutl");
        verify.args(["-verify", "-pubin", "-rawin", "-inkey"]).arg(&public);
        verify.arg("-sigfile").arg(scratch.file("signature", &signature[10..]));
        verify.arg("-in").arg(scratch.file("message", message)).output().unwrap().status.success()
    };
    // What opkg verifies is the index as it is when it is unpacked.
    let index = gunzip(&fs::read(feed.join("Packages.gz")).unwrap());
    assert!(verify(index.clone()));
    assert!(!verify([&index[..], b" "].concat()));
}

#[test]
fn apk_s_files_are_signed_inside() {
    let scratch = Scratch::new();
    let key = key(&scratch, "apk.key", PRIME256V1);
    let output = sign(&scratch, &[&key]);
    let feed = output.join(ARCHITECTURE);
    let public = public(&scratch, &key);
    assert_eq!(fs::read(only(&output.join("keys"), ".pem")).unwrap(), fs::read(&public).unwrap());

    let der = succeeds(openssl("pkey").args(["-pubin", "-outform", "DER", "-in"]).arg(&public)).stdout;
    let point = &der[der.len() - 65..];
    let digest = |bytes: &[u8]| {
        let file = scratch.file("digested", bytes);
        succeeds(openssl("dgst").args(["-sha512", "-binary"]).arg(file)).stdout
    };
    for file in [only(&feed, ".apk"), feed.join("packages.adb")] {
        let adb = adb::read(&fs::read(file).unwrap()).unwrap();
        let [signature] = &adb.signatures[..] else { panic!("{} signatures", adb.signatures.len()) };
        // Version 0, SHA-512, the key's identity; then the signature proper.
        assert_eq!(signature[..18], [&[0, 4], &digest(point)[..16]].concat());
        let verify = |payload: &[u8]| {
            let message = [adb.schema.as_bytes(), &signature[..18], &digest(payload)].concat();
            let mut verify = openssl("dgst");
            verify.args(["-sha512", "-verify"]).arg(&public);
            verify.arg("-signature").arg(scratch.file("signature", &signature[18..]));
            verify.arg(scratch.file("message", message)).output().unwrap().status.success()
        };
        assert!(verify(&adb.payload));
        assert!(!verify(&adb.payload[1..]));
    }
}

#[test]
fn a_key_may_have_a_passphrase() {
    let scratch = Scratch::new();
    let plain = key(&scratch, "plain.key", ED25519);
    let locked = scratch.join("locked.key");
    let mut lock = openssl("pkey");
    lock.arg("-in").arg(&plain).args(["-aes256", "-passout", "pass:sesame", "-out"]).arg(&locked);
    succeeds(&mut lock);
    let program = scratch.file("program", PROGRAM);
    let output = scratch.join("signed");
    let mut packing = packer(Path::new(ROOT), &program, &output);
    packing.arg("--sign-key").arg(&locked);
    let said = refuses(&mut packing);
    assert!(said.contains("WANSPLIT_KEY_PASSPHRASE"), "{said}");
    succeeds(packing.env("WANSPLIT_KEY_PASSPHRASE", "sesame"));
    let opened = fs::read(output.join(ARCHITECTURE).join("Packages.sig")).unwrap();
    sign(&scratch, &[&plain]);
    assert_eq!(opened, fs::read(output.join(ARCHITECTURE).join("Packages.sig")).unwrap());
}

#[test]
fn keys_that_cannot_sign_are_refused() {
    let scratch = Scratch::new();
    let (opkg, apk) = (key(&scratch, "opkg.key", ED25519), key(&scratch, "apk.key", PRIME256V1));
    let rsa = key(&scratch, "rsa.key", &["-algorithm", "RSA"]);
    let public = public(&scratch, &opkg);
    let cases: &[(&[&Path], &str)] = &[
        (&[&rsa], "prime256v1"),
        (&[&opkg, &apk, &opkg], "a second key"),
        (&[&public], "openssl pkey failed"),
        (&[&scratch.join("absent")], "no such file"),
    ];
    for (keys, words) in cases {
        let program = scratch.file("program", PROGRAM);
        let mut packing = packer(Path::new(ROOT), &program, &scratch.join("refused"));
        for key in *keys {
            packing.arg("--sign-key").arg(key);
        }
        let said = refuses(&mut packing);
        assert!(said.contains(words), "{said}");
    }
    assert!(!scratch.join("refused").exists());
}

/// Nothing private goes where the feed goes.
#[test]
fn no_private_key_is_published() {
    let scratch = Scratch::new();
    let (opkg, apk) = (key(&scratch, "opkg.key", ED25519), key(&scratch, "apk.key", PRIME256V1));
    let output = sign(&scratch, &[&opkg, &apk]);
    let private = [sha256(&fs::read(&opkg).unwrap()), sha256(&fs::read(&apk).unwrap())];
    for folder in [output.join("keys"), output.join(ARCHITECTURE)] {
        for entry in fs::read_dir(folder).unwrap() {
            let content = fs::read(entry.unwrap().path()).unwrap();
            assert!(!text(&content).contains("PRIVATE") && !private.contains(&sha256(&content)));
        }
    }
}
