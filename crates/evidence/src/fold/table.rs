//! The tables that follow from the leaves alone.

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Table {
    Sessions,
    Commands,
    Approvals,
    Verdicts,
    Agents,
    Authentications,
    Principals,
    Tokens,
    SodMatrix,
    SodViolations,
    PolicyHistory,
    ConfigHashes,
    Detections,
    Reveals,
    Replays,
    Exceptions,
    Gaps,
}

impl Table {
    pub(crate) const ALL: [Self; 17] = [
        Self::Sessions,
        Self::Commands,
        Self::Approvals,
        Self::Verdicts,
        Self::Agents,
        Self::Authentications,
        Self::Principals,
        Self::Tokens,
        Self::SodMatrix,
        Self::SodViolations,
        Self::PolicyHistory,
        Self::ConfigHashes,
        Self::Detections,
        Self::Reveals,
        Self::Replays,
        Self::Exceptions,
        Self::Gaps,
    ];

    #[expect(clippy::too_many_lines, reason = "one list of all tables")]
    fn about(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Sessions => (
                "population/sessions.csv",
                "every session of the period, in the order in which they ended",
                "session,state,opened,closed,reason,human,agent,instance,model,issuer,subject,target,protocol,source,client,\
                 transport,account,recording_key,policy,permitted,refused,approved,masked_values,rows,bytes,chunks,first_leaf,last_leaf",
            ),
            Self::Commands => (
                "population/commands.csv",
                "every command, permitted or refused, in the order in which they ended",
                "leaf,at,session,seq,human,agent,target,protocol,tag,effects,digest,decision,policy,policies,approval,\
                 denial_code,denial,ended_leaf,ended,status,rows,bytes,upstream_tag,masked_values,revealed_values",
            ),
            Self::Approvals => (
                "population/approvals.csv",
                "every request for approval, and what became of it",
                "approval,state,session,human,agent,target,tag,command,policy,gates,requested,expires,approved_by,denied_by,\
                 request_leaf,used_by_leaf",
            ),
            Self::Verdicts => (
                "population/verdicts.csv",
                "every signed yes and no, in the order in which they were given",
                "leaf,at,approval,verdict,approver,groups,counts_for,reason,signing_key,issuer,subject,settled",
            ),
            Self::Agents => (
                "scope/agents.csv",
                "the agents that opened sessions",
                "agent,humans,sessions,permitted,refused",
            ),
            Self::Authentications => (
                "identity/authentications.csv",
                "every login, good or bad",
                "leaf,at,result,human,agent,groups,issuer,subject,token_id,key_id,expires,target,source,refused",
            ),
            Self::Principals => (
                "identity/agent_principal_map.csv",
                "which human stands behind which agent, and who vouched for it",
                "agent,human,issuer,subject,sessions,first_leaf,last_leaf",
            ),
            Self::Tokens => (
                "identity/tokens_issued.csv",
                "tokens that the built-in issuer gave out",
                "leaf,at,human,agent,groups,issuer,subject,token_id,expires",
            ),
            Self::SodMatrix => (
                "access/sod_matrix.csv",
                "who approved for whom, and how often",
                "requester,agent,approver,verdict,count",
            ),
            Self::SodViolations => (
                "access/sod_violations.csv",
                "verdicts by the person who asked, or by an agent: no rows means none",
                "leaf,at,approval,requester,agent,approver",
            ),
            Self::PolicyHistory => (
                "policy/history.csv",
                "policies coming into force, and policies refused",
                "leaf,at,event,policy,file,sha256,error",
            ),
            Self::ConfigHashes => (
                "policy/config_hashes.csv",
                "the configuration of each start of the gateway",
                "leaf,at,gateway_version,durability,config_sha256,policy,targets,issuers",
            ),
            Self::Detections => (
                "masking/detections.csv",
                "what was masked or withheld: class, rule, place and count, never the value",
                "leaf,at,intent,session,class,rule,place,strategy,count,commitments",
            ),
            Self::Reveals => (
                "masking/reveals.csv",
                "what was seen and shown because policy reveals it",
                "leaf,at,intent,session,class,rule,place,strategy,count,commitments",
            ),
            Self::Replays => (
                "review/replay_access.csv",
                "who watched which session and who built evidence, and why",
                "leaf,at,what,human,agent,session,reason",
            ),
            Self::Exceptions => (
                "exceptions/exceptions.csv",
                "what an examiner should look at",
                "leaf,at,kind,subject,detail",
            ),
            Self::Gaps => (
                "exceptions/gaps_outages.csv",
                "times without entries: stops, crashes, silence",
                "kind,from,to,seconds,leaf_before,leaf_after",
            ),
        }
    }

    pub(crate) fn path(self) -> &'static str {
        self.about().0
    }

    pub(crate) fn purpose(self) -> &'static str {
        self.about().1
    }

    /// Its first line.
    pub(crate) fn header(self) -> String {
        format!("{}\r\n", self.about().2)
    }
}
