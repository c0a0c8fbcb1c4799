//! Every child of every node of PostgreSQL's raw parse tree.
//!
//! One table, a line per message of `pg_query.proto` with the fields that hold nodes. A walk built on it cannot
//! overlook a clause; `tests.rs` compares it with what serialization visits.

use pg_query::{Node, NodeRef, protobuf};

/// Calls `visit` with each child of `node`, in the order of the fields.
#[expect(clippy::too_many_lines, reason = "one arm per kind of node")]
pub(super) fn children<'a>(node: NodeRef<'a>, visit: &mut dyn FnMut(NodeRef<'a>)) {
    macro_rules! table {
        ({ $($variant:ident: $($field:ident)*;)* } leaves { $($leaf:ident)* }) => {
            match node {
                $(NodeRef::$variant(n) => { $(n.$field.each(visit);)* })*
                $(NodeRef::$leaf(_))|* => {}
            }
        };
    }
    table!({
        Alias: colnames;
        RangeVar: alias;
        TableFunc: ns_uris ns_names docexpr rowexpr colnames coltypes coltypmods colcollations colexprs coldefexprs
            colvalexprs passingvalexprs plan;
        Aggref: aggargtypes aggdirectargs args aggorder aggdistinct aggfilter;
        GroupingFunc: args refs;
        WindowFunc: args aggfilter run_condition;
        SubscriptingRef: refupperindexpr reflowerindexpr refexpr refassgnexpr;
        FuncExpr: args;
        NamedArgExpr: arg;
        OpExpr: args;
        DistinctExpr: args;
        NullIfExpr: args;
        ScalarArrayOpExpr: args;
        BoolExpr: args;
        SubLink: testexpr oper_name subselect;
        SubPlan: testexpr param_ids set_param par_param args;
        AlternativeSubPlan: subplans;
        FieldSelect: arg;
        FieldStore: arg newvals fieldnums;
        RelabelType: arg;
        CoerceViaIo: arg;
        ArrayCoerceExpr: arg elemexpr;
        ConvertRowtypeExpr: arg;
        CollateExpr: arg;
        CaseExpr: arg args defresult;
        CaseWhen: expr result;
        ArrayExpr: elements;
        RowExpr: args colnames;
        RowCompareExpr: opnos opfamilies inputcollids largs rargs;
        CoalesceExpr: args;
        MinMaxExpr: args;
        XmlExpr: named_args arg_names args;
        NullTest: arg;
        BooleanTest: arg;
        CoerceToDomain: arg;
        InferenceElem: expr;
        TargetEntry: expr;
        JoinExpr: larg rarg using_clause join_using_alias quals alias;
        FromExpr: fromlist quals;
        OnConflictExpr: arbiter_elems arbiter_where on_conflict_set on_conflict_where excl_rel_tlist;
        IntoClause: rel col_names options view_query;
        RawStmt: stmt;
        Query: utility_stmt cte_list rtable rteperminfos jointree merge_action_list merge_join_condition target_list
            on_conflict returning_list group_clause grouping_sets having_qual window_clause distinct_clause
            sort_clause limit_offset limit_count row_marks set_operations constraint_deps with_check_options;
        InsertStmt: relation cols select_stmt on_conflict_clause returning_clause with_clause;
        DeleteStmt: relation using_clause where_clause returning_clause with_clause;
        UpdateStmt: relation target_list where_clause from_clause returning_clause with_clause;
        SelectStmt: distinct_clause into_clause target_list from_clause where_clause group_clause having_clause
            window_clause values_lists sort_clause limit_offset limit_count locking_clause with_clause larg rarg;
        AlterTableStmt: relation cmds;
        AlterTableCmd: newowner def;
        AlterDomainStmt: type_name def;
        SetOperationStmt: larg rarg col_types col_typmods col_collations group_clauses;
        GrantStmt: objects privileges grantees grantor;
        GrantRoleStmt: granted_roles grantee_roles opt grantor;
        AlterDefaultPrivilegesStmt: options action;
        ClusterStmt: relation params;
        CopyStmt: relation query attlist options where_clause;
        CreateStmt: relation table_elts inh_relations partbound partspec of_typename constraints nnconstraints
            options;
        DefineStmt: defnames args definition;
        DropStmt: objects;
        TruncateStmt: relations;
        CommentStmt: object;
        IndexStmt: relation index_params index_including_params options where_clause exclude_op_names;
        CreateFunctionStmt: funcname parameters return_type options sql_body;
        AlterFunctionStmt: func actions;
        DoStmt: args;
        RenameStmt: relation object;
        RuleStmt: relation where_clause actions;
        TransactionStmt: options;
        ViewStmt: view aliases query options;
        CreateDomainStmt: domainname type_name coll_clause constraints;
        CreatedbStmt: options;
        DropdbStmt: options;
        VacuumStmt: options rels;
        ExplainStmt: query options;
        CreateTableAsStmt: query into;
        CreateSeqStmt: sequence options;
        AlterSeqStmt: sequence options;
        VariableSetStmt: args;
        CreateTrigStmt: relation funcname args columns when_clause transition_rels constrrel;
        CreatePlangStmt: plhandler plinline plvalidator;
        CreateRoleStmt: options;
        AlterRoleStmt: role options;
        DropRoleStmt: roles;
        LockStmt: relations;
        ConstraintsSetStmt: constraints;
        ReindexStmt: relation params;
        CreateSchemaStmt: authrole schema_elts;
        AlterDatabaseStmt: options;
        AlterDatabaseSetStmt: setstmt;
        AlterRoleSetStmt: role setstmt;
        CreateConversionStmt: conversion_name func_name;
        CreateCastStmt: sourcetype targettype func;
        CreateOpClassStmt: opclassname opfamilyname datatype items;
        CreateOpFamilyStmt: opfamilyname;
        AlterOpFamilyStmt: opfamilyname items;
        PrepareStmt: argtypes query;
        ExecuteStmt: params;
        DeclareCursorStmt: query;
        CreateTableSpaceStmt: owner options;
        AlterObjectDependsStmt: relation object extname;
        AlterObjectSchemaStmt: relation object;
        AlterOwnerStmt: relation object newowner;
        AlterOperatorStmt: opername options;
        AlterTypeStmt: type_name options;
        DropOwnedStmt: roles;
        ReassignOwnedStmt: roles newrole;
        CompositeTypeStmt: typevar coldeflist;
        CreateEnumStmt: type_name vals;
        CreateRangeStmt: type_name params;
        AlterEnumStmt: type_name;
        AlterTsdictionaryStmt: dictname options;
        AlterTsconfigurationStmt: cfgname tokentype dicts;
        CreateFdwStmt: func_options options;
        AlterFdwStmt: func_options options;
        CreateForeignServerStmt: options;
        AlterForeignServerStmt: options;
        CreateUserMappingStmt: user options;
        AlterUserMappingStmt: user options;
        DropUserMappingStmt: user;
        AlterTableSpaceOptionsStmt: options;
        AlterTableMoveAllStmt: roles;
        SecLabelStmt: object;
        CreateForeignTableStmt: base_stmt options;
        ImportForeignSchemaStmt: table_list options;
        CreateExtensionStmt: options;
        AlterExtensionStmt: options;
        AlterExtensionContentsStmt: object;
        CreateEventTrigStmt: whenclause funcname;
        RefreshMatViewStmt: relation;
        AlterSystemStmt: setstmt;
        CreatePolicyStmt: table roles qual with_check;
        AlterPolicyStmt: table roles qual with_check;
        CreateTransformStmt: type_name fromsql tosql;
        CreateAmStmt: handler_name;
        CreatePublicationStmt: options pubobjects;
        AlterPublicationStmt: options pubobjects;
        CreateSubscriptionStmt: publication options;
        AlterSubscriptionStmt: publication options;
        CreateStatsStmt: defnames stat_types exprs relations;
        AlterCollationStmt: collname;
        CallStmt: funccall funcexpr outargs;
        AlterStatsStmt: defnames stxstattarget;
        AExpr: name lexpr rexpr;
        ColumnRef: fields;
        FuncCall: funcname args agg_order agg_filter over;
        AIndices: lidx uidx;
        AIndirection: arg indirection;
        AArrayExpr: elements;
        ResTarget: indirection val;
        MultiAssignRef: source;
        TypeCast: arg type_name;
        CollateClause: arg collname;
        SortBy: node use_op;
        WindowDef: partition_clause order_clause start_offset end_offset;
        RangeSubselect: subquery alias;
        RangeFunction: functions alias coldeflist;
        RangeTableSample: relation method args repeatable;
        RangeTableFunc: docexpr rowexpr namespaces columns alias;
        RangeTableFuncCol: type_name colexpr coldefexpr;
        TypeName: names typmods array_bounds;
        ColumnDef: type_name raw_default cooked_default identity_sequence coll_clause constraints fdwoptions;
        IndexElem: expr collation opclass opclassopts;
        Constraint: raw_expr keys including exclusions options where_clause pktable fk_attrs pk_attrs fk_del_set_cols
            old_conpfeqop;
        DefElem: arg;
        RangeTblEntry: alias eref tablesample subquery joinaliasvars joinleftcols joinrightcols join_using_alias
            functions tablefunc values_lists coltypes coltypmods colcollations groupexprs security_quals;
        RangeTblFunction: funcexpr funccolnames funccoltypes funccoltypmods funccolcollations;
        TableSampleClause: args repeatable;
        WithCheckOption: qual;
        GroupingSet: content;
        WindowClause: partition_clause order_clause start_offset end_offset;
        ObjectWithArgs: objname objargs objfuncargs;
        AccessPriv: cols;
        CreateOpClassItem: name order_family class_args storedtype;
        TableLikeClause: relation;
        FunctionParameter: arg_type defexpr;
        LockingClause: locked_rels;
        XmlSerialize: expr type_name;
        WithClause: ctes;
        InferClause: index_elems where_clause;
        OnConflictClause: infer target_list where_clause;
        CommonTableExpr: aliascolnames ctequery search_clause cycle_clause ctecolnames ctecoltypes ctecoltypmods
            ctecolcollations;
        PartitionElem: expr collation opclass;
        PartitionSpec: part_params;
        PartitionBoundSpec: listdatums lowerdatums upperdatums;
        PartitionRangeDatum: value;
        PartitionCmd: name bound;
        VacuumRelation: relation va_cols;
        List: items;
        IntList: items;
        OidList: items;
        MergeStmt: relation source_relation join_condition merge_when_clauses returning_clause with_clause;
        MergeAction: qual target_list update_colnos;
        ReturnStmt: returnval;
        ReturningClause: options exprs;
        ReturningExpr: retexpr;
        PlassignStmt: indirection val;
        StatsElem: expr;
        CtesearchClause: search_col_list;
        CtecycleClause: cycle_col_list cycle_mark_value cycle_mark_default;
        MergeWhenClause: condition target_list values;
        PublicationObjSpec: pubtable;
        PublicationTable: relation where_clause columns;
        JsonReturning: format;
        JsonValueExpr: raw_expr formatted_expr format;
        JsonConstructorExpr: args func coercion returning;
        JsonIsPredicate: expr format;
        JsonOutput: type_name returning;
        JsonKeyValue: key value;
        JsonObjectConstructor: exprs output;
        JsonArrayConstructor: exprs output;
        JsonArrayQueryConstructor: query output format;
        JsonAggConstructor: output agg_filter agg_order over;
        JsonObjectAgg: constructor arg;
        JsonArrayAgg: constructor arg;
        WindowFuncRunCondition: arg;
        JsonBehavior: expr;
        JsonExpr: formatted_expr format path_spec returning passing_names passing_values on_empty on_error;
        JsonTablePathScan: plan path child;
        JsonTableSiblingJoin: plan lplan rplan;
        JsonArgument: val;
        JsonFuncExpr: context_item pathspec passing output on_empty on_error;
        JsonTablePathSpec: string;
        JsonTable: context_item pathspec passing columns on_error alias;
        JsonTableColumn: type_name pathspec format columns on_empty on_error;
        JsonParseExpr: expr output;
        JsonScalarExpr: expr output;
        JsonSerializeExpr: expr output;
    } leaves {
        RangeTblRef ClosePortalStmt FetchStmt NotifyStmt ListenStmt UnlistenStmt LoadStmt
        VariableShowStmt DiscardStmt CheckPointStmt DeallocateStmt DropTableSpaceStmt
        AtalterConstraint AlterEventTrigStmt ReplicaIdentityStmt DropSubscriptionStmt ParamRef
        AConst AStar SortGroupClause RowMarkClause RoleSpec TriggerTransition InlineCodeBlock
        CallContext Integer Float Boolean String BitString AlterDatabaseRefreshCollStmt
        ReturningOption JsonFormat RtepermissionInfo JsonTablePath Var Param CaseTestExpr
        SqlvalueFunction CoerceToDomainValue SetToDefault CurrentOfExpr NextValueExpr
        MergeSupportFunc
    });
}

/// A field that holds nodes: one, none or many.
trait Each {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(NodeRef<'a>));
}

impl Each for Node {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(NodeRef<'a>)) {
        if let Some(node) = &self.node {
            visit(node.to_ref());
        }
    }
}

impl Each for Vec<Node> {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(NodeRef<'a>)) {
        for node in self {
            node.each(visit);
        }
    }
}

impl<T: Each> Each for Option<T> {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(NodeRef<'a>)) {
        if let Some(node) = self {
            node.each(visit);
        }
    }
}

impl<T: Each> Each for Box<T> {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(NodeRef<'a>)) {
        (**self).each(visit);
    }
}

/// Messages that stand in a field by their own type.
macro_rules! typed {
    ($($message:ident)*) => {
        $(impl Each for protobuf::$message {
            fn each<'a>(&'a self, visit: &mut dyn FnMut(NodeRef<'a>)) {
                visit(NodeRef::$message(self));
            }
        })*
    };
}

typed! {
    Alias CollateClause CreateStmt FromExpr FuncCall FuncExpr GrantStmt InferClause IntoClause
    JsonAggConstructor JsonBehavior JsonFormat JsonKeyValue JsonOutput JsonReturning JsonTablePath
    JsonTablePathSpec JsonValueExpr ObjectWithArgs OnConflictClause OnConflictExpr
    PartitionBoundSpec PartitionSpec PublicationTable Query RangeVar ReturningClause RoleSpec
    SelectStmt String TableFunc TableSampleClause TypeName VariableSetStmt WindowDef WithClause
}

impl Each for protobuf::CteSearchClause {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(NodeRef<'a>)) {
        visit(NodeRef::CtesearchClause(self));
    }
}

impl Each for protobuf::CteCycleClause {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(NodeRef<'a>)) {
        visit(NodeRef::CtecycleClause(self));
    }
}
