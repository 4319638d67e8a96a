//! Courier files, made and taken in at a node's local interface.

#![allow(dead_code)]

use abeng_api::{
    Client, ClientError, CourierExportQuery, CourierReport, CourierTally, ErrorCode, pieces,
};
use abeng_evidence::courier::{CourierReader, CourierWriter, Found, Item};
use abeng_wire::v1;
use std::time::Duration;

pub async fn export_as(at: &Client, query: CourierExportQuery) -> Vec<u8> {
    let mut made = loop {
        match at.courier_export(&query).await {
            // The last file may be read to its end a moment before its maker lets go of the turn.
            Err(ClientError::Api(e)) if e.code == ErrorCode::Busy => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            made => break made.unwrap(),
        }
    };
    let mut file = Vec::new();
    while let Some(piece) = made.next().await {
        file.extend_from_slice(&piece.unwrap());
    }
    file
}

pub async fn export(at: &Client, to: &str) -> Vec<u8> {
    let to = to.to_owned();
    export_as(
        at,
        CourierExportQuery {
            to,
            ..Default::default()
        },
    )
    .await
}

pub async fn import(at: &Client, file: &[u8]) -> Result<CourierReport, String> {
    let (sender, body) = pieces();
    let parts: Vec<Vec<u8>> = file.chunks(10_000).map(<[u8]>::to_vec).collect();
    tokio::spawn(async move {
        for part in parts {
            if sender.send(Ok(part.into())).await.is_err() {
                return;
            }
        }
    });
    at.courier_import(body).await.map_err(|e| e.to_string())
}

pub fn taken(taken: u64) -> CourierTally {
    CourierTally {
        taken,
        ..Default::default()
    }
}

pub fn known(known: u64) -> CourierTally {
    CourierTally {
        known,
        ..Default::default()
    }
}

pub fn faults(faults: u64) -> CourierTally {
    CourierTally {
        faults,
        ..Default::default()
    }
}

/// What stands in a file, and where each frame ends.
pub fn frames(file: &[u8]) -> Vec<(Found, usize)> {
    let (mut reader, mut found) = (CourierReader::new(), Vec::new());
    reader.feed(file);
    while let Some(next) = reader.read().unwrap() {
        found.push((next, reader.at() as usize));
    }
    reader.end().unwrap();
    found
}

/// A whole file of these.
pub fn file_of(header: &v1::CourierHeader, items: &[Item]) -> Vec<u8> {
    let (mut writer, begin) = CourierWriter::begin(header);
    let mut file = begin.to_vec();
    for item in items {
        file.extend_from_slice(&writer.item(item));
    }
    file.extend_from_slice(&writer.close());
    file
}

/// The same file with another header.
pub fn with_header(file: &[u8], change: impl Fn(&mut v1::CourierHeader)) -> Vec<u8> {
    let (mut header, mut items) = (None, Vec::new());
    for (found, _) in frames(file) {
        match found {
            Found::Header(found) => header = Some(*found),
            Found::Item(item) => items.push(item),
            _ => {}
        }
    }
    let mut header = header.unwrap();
    change(&mut header);
    file_of(&header, &items)
}
