//! A node that is not one.

use abeng_api::*;
use async_trait::async_trait;
use bytes::Bytes;
use std::{path::PathBuf, sync::Arc, sync::Mutex, time::Duration};
use tempfile::TempDir;

/// Answers from its pocket and remembers what it was asked.
#[derive(Default)]
pub struct Fake {
    pub submitted: Mutex<Vec<(Caller, SubmitRequest)>>,
    pub inboxes: Mutex<Vec<InboxQuery>>,
}

#[async_trait]
impl Operator for Fake {
    async fn submit(&self, who: &Caller, request: SubmitRequest) -> Result<SubmitReply, ApiError> {
        if request.to == ["BUSY"] {
            return Err(ApiError::busy("the input is full", 2));
        }
        if request.to == ["NOBODY"] {
            let flaw = FlawView {
                field: "to".into(),
                ..FlawView::default()
            };
            return Err(ApiError::refused("not granted", vec![flaw]).with_try("ask LC"));
        }
        let reply = SubmitReply {
            id: Some("ab".repeat(32)),
            to: request.to.clone(),
            ..SubmitReply::default()
        };
        self.submitted.lock().unwrap().push((who.clone(), request));
        Ok(reply)
    }
    async fn recall(
        &self,
        _: &Caller,
        id: &str,
        request: RecallRequest,
    ) -> Result<SubmitReply, ApiError> {
        Ok(SubmitReply {
            id: Some(id.to_owned()),
            summary: request.reason,
            ..SubmitReply::default()
        })
    }
    async fn releases(
        &self,
        who: &Caller,
        query: ReleaseQuery,
    ) -> Result<Vec<ReleaseItem>, ApiError> {
        Ok(vec![ReleaseItem {
            by: who.name.clone(),
            summary: query.lang.unwrap_or_default(),
            ..ReleaseItem::default()
        }])
    }
    async fn release_show(
        &self,
        _: &Caller,
        id: &str,
        lang: &str,
    ) -> Result<ReleaseView, ApiError> {
        Ok(ReleaseView {
            precedence: format!("{id} {lang}"),
            ..ReleaseView::default()
        })
    }
    async fn release_grant(
        &self,
        _: &Caller,
        id: &str,
        request: GrantRequest,
    ) -> Result<SubmitReply, ApiError> {
        Ok(SubmitReply {
            id: Some(id.to_owned()),
            summary: request.officer.unwrap_or_default(),
            ..SubmitReply::default()
        })
    }
    async fn release_deny(
        &self,
        _: &Caller,
        id: &str,
        request: DenyRequest,
    ) -> Result<DenyReply, ApiError> {
        Ok(DenyReply {
            id: format!("{id} {}", request.reason),
            leaf: 3,
            ..DenyReply::default()
        })
    }
    async fn hold_place(
        &self,
        _: &Caller,
        id: &str,
        _: HoldRequest,
    ) -> Result<KeepReply, ApiError> {
        Ok(keep_reply(id, 1))
    }
    async fn hold_lift(&self, _: &Caller, id: &str, _: HoldRequest) -> Result<KeepReply, ApiError> {
        Ok(keep_reply(id, 2))
    }
    async fn extend(&self, _: &Caller, id: &str, _: ExtendRequest) -> Result<KeepReply, ApiError> {
        Ok(keep_reply(id, 3))
    }
    async fn retention(&self, query: RetentionQuery) -> Result<Vec<KeptItem>, ApiError> {
        Ok(vec![KeptItem::default(); 1 + usize::from(query.held)])
    }
    async fn inbox(&self, query: InboxQuery) -> Result<Vec<InboxItem>, ApiError> {
        self.inboxes.lock().unwrap().push(query);
        Ok(vec![InboxItem::default()])
    }
    async fn inbox_show(&self, _: &Caller, id: &str, lang: &str) -> Result<NoticeView, ApiError> {
        let mut view = NoticeView::default();
        view.item.id = id.to_owned();
        view.item.summary = lang.to_owned();
        Ok(view)
    }
    async fn relays(&self) -> Result<RelaysView, ApiError> {
        Ok(RelaysView::default())
    }
    async fn contradictions(&self) -> Result<Vec<ContradictionView>, ApiError> {
        Ok(vec![ContradictionView::default()])
    }
    async fn gaps(&self) -> Result<Vec<GapView>, ApiError> {
        Ok(vec![GapView::default()])
    }
    async fn sent(&self, _: SentQuery) -> Result<Vec<SentItem>, ApiError> {
        Ok(Vec::new())
    }
    async fn track(&self, id: &str, _: &str) -> Result<Timeline, ApiError> {
        Err(ApiError::not_found(format!("nothing sent is called {id}")))
    }
    async fn courier_export(
        &self,
        _: &Caller,
        query: CourierExportQuery,
    ) -> Result<Pieces, ApiError> {
        let (sender, file) = pieces();
        let count = query.limit.unwrap_or(1) - u64::from(query.no_attachments);
        tokio::spawn(async move {
            for n in 0..count {
                let piece = match query.again && n + 1 == count {
                    true => Err(ApiError::internal("the disk is gone")),
                    false => Ok(vec![n as u8; 100_000].into()),
                };
                if sender.send(piece).await.is_err() {
                    return;
                }
            }
        });
        Ok(file)
    }
    async fn courier_import(
        &self,
        who: &Caller,
        mut file: Pieces,
    ) -> Result<CourierReport, ApiError> {
        let mut report = CourierReport {
            from: who.name.clone(),
            ..Default::default()
        };
        while let Some(piece) = file.next().await {
            let piece = piece?;
            if piece.starts_with(b"stop") {
                return Err(ApiError::invalid("no courier file"));
            }
            report.envelopes.taken += piece.len() as u64;
        }
        Ok(report)
    }
    async fn evidence(
        &self,
        who: &Caller,
        id: &str,
        query: EvidenceQuery,
    ) -> Result<bytes::Bytes, ApiError> {
        let what = if query.disclose { "all" } else { "proof" };
        let bytes = [
            &[0xff, 0],
            format!("{what} of {id} for {}", who.name).as_bytes(),
        ]
        .concat();
        Ok(bytes.into())
    }
    async fn attach(
        &self,
        _: &Caller,
        query: AttachQuery,
        mut upload: Upload,
    ) -> Result<AttachReply, ApiError> {
        let mut length = 0;
        while let Some(bytes) = upload.next().await {
            length += bytes?.len() as u64;
        }
        assert_eq!(upload.declared(), Some(length));
        Ok(AttachReply {
            handle: "h".into(),
            name: query.name,
            length,
            ..AttachReply::default()
        })
    }
    async fn attachments(&self, _: &str) -> Result<Vec<AttachmentItem>, ApiError> {
        Ok(vec![AttachmentItem::default()])
    }
    async fn attachment(&self, _: &Caller, notice: &str, root: &str) -> Result<Download, ApiError> {
        if root == "absent" {
            return Err(ApiError::not_found("not here"));
        }
        let (give, chunks) = tokio::sync::mpsc::channel(2);
        let said = format!("{root} of {notice}").into_bytes();
        let length = said.len() as u64;
        let said = if root == "cut" {
            said[1..].to_vec()
        } else {
            said
        };
        give.try_send(Ok(said.into())).unwrap();
        Ok(Download { length, chunks })
    }
    async fn status(&self) -> Result<StatusView, ApiError> {
        Ok(StatusView {
            party: "JM".into(),
            ..StatusView::default()
        })
    }
    async fn cost(&self, _: &Caller, request: CostRequest) -> Result<CostReply, ApiError> {
        Ok(CostReply {
            summary: request.submit.to.join(","),
            ..CostReply::default()
        })
    }
    async fn limits(&self) -> Result<LimitsView, ApiError> {
        Ok(LimitsView::default())
    }
    async fn drill(&self) -> Result<DrillView, ApiError> {
        Ok(DrillView::default())
    }
    async fn allow(&self, _: &Caller, request: AllowRequest) -> Result<BudgetView, ApiError> {
        Ok(BudgetView {
            budget: request.bytes,
            ..BudgetView::default()
        })
    }
    async fn roster_import(&self, _: &Caller, file: Bytes) -> Result<RosterTaken, ApiError> {
        Ok(RosterTaken {
            roster: file.len() as u64,
            ..RosterTaken::default()
        })
    }
    async fn roster_pending(&self) -> Result<WaitingView, ApiError> {
        Ok(WaitingView::default())
    }
    async fn roster_accept(
        &self,
        who: &Caller,
        request: AcceptRequest,
    ) -> Result<AcceptReply, ApiError> {
        Ok(AcceptReply {
            leaf: u64::from(who.uid.is_some()),
            version: request.party.map_or(0, |party| party.len() as u64),
            ..AcceptReply::default()
        })
    }
    async fn policy(&self) -> Result<PolicyView, ApiError> {
        Ok(PolicyView::default())
    }
    async fn explain(&self, query: ExplainQuery) -> Result<ExplainView, ApiError> {
        Ok(ExplainView {
            from: query.from.unwrap_or_default(),
            to: query.to,
            ty: query.ty,
            tlp: query.tlp.unwrap_or_default(),
            ..ExplainView::default()
        })
    }
    async fn rotate_seal_key(&self, _: &Caller) -> Result<SealKeyReply, ApiError> {
        Ok(SealKeyReply::default())
    }
    async fn destroy_seal_key(
        &self,
        _: &Caller,
        request: DestroyKeyRequest,
    ) -> Result<SealKeyReply, ApiError> {
        Ok(SealKeyReply {
            kid: request.kid,
            ..SealKeyReply::default()
        })
    }
    async fn network(&self) -> Result<NetworkView, ApiError> {
        Err(ApiError::forbidden("not a coordination node").with_try("ask the JIO"))
    }
    async fn audit_show(&self, _: AuditQuery) -> Result<LeafPage, ApiError> {
        Ok(LeafPage::default())
    }
    async fn parties(&self) -> Result<Vec<PartyView>, ApiError> {
        Ok(Vec::new())
    }
    async fn wait_delivered(&self, query: EventQuery) -> Result<Vec<DeliveredEvent>, ApiError> {
        let wait = query.timeout_ms.unwrap_or(10_000);
        tokio::time::sleep(Duration::from_millis(wait.into())).await;
        Ok(Vec::new())
    }
    async fn wait_settled(&self, _: EventQuery) -> Result<Vec<SettledEvent>, ApiError> {
        Ok(Vec::new())
    }
}

fn keep_reply(id: &str, leaf: u64) -> KeepReply {
    KeepReply {
        id: id.to_owned(),
        leaf,
        due: None,
        recall_stands: false,
    }
}

pub struct Node {
    pub fake: Arc<Fake>,
    pub serving: Serving,
    pub path: PathBuf,
    pub dir: TempDir,
}

pub fn node() -> Node {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("abeng.sock");
    let fake = Arc::new(Fake::default());
    let listener = bind_unix(&path, Peers::Owner).unwrap();
    let serving = serve_unix(listener, router(fake.clone()), Peers::Owner);
    Node {
        fake,
        serving,
        path,
        dir,
    }
}

pub fn request(to: &str) -> SubmitRequest {
    SubmitRequest {
        to: vec![to.to_owned()],
        notice: serde_json::json!({"type": "SEIZURE"}),
        ..SubmitRequest::default()
    }
}
