-- The shape of a U8 book set, as far as a trading company fills it: the ERP's own table and column names.
-- Every table carries a change stamp, set by a trigger on insert and update, never by the writer.
-- Amounts are yuan with two places; iNatMoney is net, iNatTax the tax, iNatSum gross, all in home currency.

CREATE SCHEMA IF NOT EXISTS u8;

-- Rows with a stamp below this are final: no transaction that is still open can hold a lower one.
-- Like its namesake it looks at this database only: what other databases of the server do holds nothing back.
-- A transaction that ends while this runs is seen by whatever reads next.
CREATE OR REPLACE FUNCTION u8.min_active_rowversion() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    WITH taken AS MATERIALIZED (SELECT pg_current_snapshot() AS snapshot),
         open AS (SELECT pg_snapshot_xip(snapshot) AS id FROM taken)
    SELECT coalesce(
        (SELECT min(open.id::text::bigint)
           FROM open
           JOIN pg_locks held ON held.locktype = 'transactionid' AND held.transactionid = open.id::xid
                             AND held.mode = 'ExclusiveLock'
           JOIN pg_stat_activity session ON session.pid = held.pid
          WHERE session.datname = current_database()),
        (SELECT pg_snapshot_xmax(snapshot)::text::bigint FROM taken))
$$;

CREATE OR REPLACE FUNCTION u8.stamp_ufts() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN NEW.ufts := pg_current_xact_id()::text::bigint; RETURN NEW; END $$;
CREATE OR REPLACE FUNCTION u8.stamp_dufts() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN NEW.dufts := pg_current_xact_id()::text::bigint; RETURN NEW; END $$;
CREATE OR REPLACE FUNCTION u8.stamp_pubufts() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN NEW.pubufts := pg_current_xact_id()::text::bigint; RETURN NEW; END $$;

-- Archives ------------------------------------------------------------------------------------------

-- Codes are graded in steps of two digits: the unit above 010203 is 0102.
CREATE TABLE IF NOT EXISTS u8.Department (
    cDepCode varchar(12) PRIMARY KEY,
    cDepName varchar(60) NOT NULL,
    cDepPerson varchar(20),                 -- the person code of its manager
    iDepGrade smallint NOT NULL,
    bDepEnd smallint NOT NULL,              -- 1: nothing below it
    dDepBeginDate date NOT NULL,
    dDepEndDate date,
    dModifyDate timestamp,
    pubufts bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS u8.Person (
    cPersonCode varchar(20) PRIMARY KEY,
    cPersonName varchar(40) NOT NULL,
    cDepCode varchar(12) NOT NULL,
    cPersonProp varchar(40),                -- job title
    cPersonDefine1 varchar(60),             -- login
    bPersonActive smallint NOT NULL DEFAULT 1,
    dPValidDate date,
    dPInValidDate date,
    dModifyDate timestamp,
    pubufts bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS u8.DistrictClass (
    cDCCode varchar(12) PRIMARY KEY,
    cDCName varchar(60) NOT NULL,
    pubufts bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS u8.Customer (
    cCusCode varchar(20) PRIMARY KEY,
    cCusName varchar(120) NOT NULL,
    cCusAbbName varchar(60) NOT NULL,
    cCCCode varchar(12),                    -- class: 01 wholesale, 02 chain, 03 institution
    cDCCode varchar(12),                    -- territory, see DistrictClass
    cCusPPerson varchar(20),                -- its salesperson
    iCusCreLine numeric(18, 2),             -- credit limit
    iCusCreDate integer,                    -- days of credit
    iARMoney numeric(18, 2) NOT NULL DEFAULT 0,
    dCusDevDate date,
    dEndDate date,
    dModifyDate timestamp,
    pubufts bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS u8.Vendor (
    cVenCode varchar(20) PRIMARY KEY,
    cVenName varchar(120) NOT NULL,
    cVenAbbName varchar(60) NOT NULL,
    pubufts bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS u8.InventoryClass (
    cInvCCode varchar(12) PRIMARY KEY,
    cInvCName varchar(60) NOT NULL,
    pubufts bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS u8.Inventory (
    cInvCode varchar(20) PRIMARY KEY,
    cInvName varchar(120) NOT NULL,
    cInvStd varchar(60),
    cInvCCode varchar(12),                  -- see InventoryClass
    cComUnitName varchar(20),
    iInvSCost numeric(18, 2),               -- list price, net
    iInvNCost numeric(18, 2),               -- latest cost
    dSDate date,
    dEDate date,
    dModifyDate timestamp,
    pubufts bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS u8.Warehouse (
    cWhCode varchar(12) PRIMARY KEY,
    cWhName varchar(60) NOT NULL,
    cDepCode varchar(12),
    cWhPerson varchar(20),
    pubufts bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS u8.code (
    ccode varchar(20) PRIMARY KEY,
    ccode_name varchar(60) NOT NULL,
    cclass varchar(20) NOT NULL,            -- 资产 负债 权益 损益
    bproperty smallint NOT NULL,            -- 1: grows by debit
    pubufts bigint NOT NULL
);

-- Sales ---------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS u8.SO_SOMain (
    ID integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    cSOCode varchar(30) NOT NULL UNIQUE,    -- may be used again after a deletion
    cSTCode varchar(12),
    dDate date NOT NULL,
    cCusCode varchar(20) NOT NULL,
    cDepCode varchar(12),
    cPersonCode varchar(20),
    cexch_name varchar(20) NOT NULL DEFAULT '人民币',
    iExchRate numeric(18, 6) NOT NULL DEFAULT 1,
    iTaxRate numeric(9, 2) NOT NULL DEFAULT 13,
    iStatus smallint NOT NULL DEFAULT 0,    -- 0 open, 1 approved
    cMaker varchar(40),
    cVerifier varchar(40),
    cCloser varchar(40),
    iverifystate smallint NOT NULL DEFAULT 0,
    iswfcontrolled smallint NOT NULL DEFAULT 0,
    ireturncount integer NOT NULL DEFAULT 0,
    cMemo varchar(240),
    dcreatesystime timestamp,
    dmodifysystime timestamp,
    dverifysystime timestamp,
    ufts bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS u8.SO_SODetails (
    AutoID integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    iSOsID integer GENERATED ALWAYS AS (AutoID) STORED UNIQUE,
    ID integer NOT NULL,
    cSOCode varchar(30) NOT NULL,
    iRowNo integer NOT NULL,
    cInvCode varchar(20) NOT NULL,
    cWhCode varchar(12),                    -- the warehouse it is promised from
    iQuantity numeric(18, 4) NOT NULL,
    iUnitPrice numeric(18, 4) NOT NULL,
    iTaxRate numeric(9, 2) NOT NULL DEFAULT 13,
    iMoney numeric(18, 2) NOT NULL,
    iTax numeric(18, 2) NOT NULL,
    iSum numeric(18, 2) NOT NULL,
    iNatMoney numeric(18, 2) NOT NULL,
    iNatTax numeric(18, 2) NOT NULL,
    iNatSum numeric(18, 2) NOT NULL,
    iFHQuantity numeric(18, 4) NOT NULL DEFAULT 0,
    iFHMoney numeric(18, 2) NOT NULL DEFAULT 0,     -- shipped, net
    iKPQuantity numeric(18, 4) NOT NULL DEFAULT 0,
    iKPMoney numeric(18, 2) NOT NULL DEFAULT 0,     -- invoiced, net
    dPreDate date,                          -- promised delivery
    cSCloser varchar(40),                   -- who closed this line
    cDefine26 numeric(18, 2),               -- the company's own field: cost of the whole line
    dufts bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS u8.DispatchList (
    DLID integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    cDLCode varchar(30) NOT NULL UNIQUE,
    cVouchType varchar(10) NOT NULL DEFAULT '05',
    dDate date NOT NULL,
    bReturnFlag smallint NOT NULL DEFAULT 0,
    cSOCode varchar(30),
    cCusCode varchar(20) NOT NULL,
    cDepCode varchar(12),
    cPersonCode varchar(20),
    cMaker varchar(40),
    cVerifier varchar(40),
    dcreatesystime timestamp,
    ufts bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS u8.DispatchLists (
    AutoID integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    iDLsID integer GENERATED ALWAYS AS (AutoID) STORED UNIQUE,
    DLID integer NOT NULL,
    iSOsID integer NOT NULL,
    cWhCode varchar(12) NOT NULL,
    cInvCode varchar(20) NOT NULL,
    iQuantity numeric(18, 4) NOT NULL,      -- negative on a return
    iNatMoney numeric(18, 2) NOT NULL,
    iNatTax numeric(18, 2) NOT NULL,
    iNatSum numeric(18, 2) NOT NULL,
    fOutQuantity numeric(18, 4) NOT NULL DEFAULT 0,
    iSettleQuantity numeric(18, 4) NOT NULL DEFAULT 0,  -- invoiced of it
    ufts bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS u8.SaleBillVouch (
    SBVID integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    cSBVCode varchar(30) NOT NULL UNIQUE,
    cVouchType varchar(10) NOT NULL DEFAULT '26',   -- 26 VAT invoice, 27 plain invoice
    bReturnFlag smallint NOT NULL DEFAULT 0,
    dDate date NOT NULL,
    dGatheringDate date,                    -- due
    cSOCode varchar(30),
    cCusCode varchar(20) NOT NULL,
    cDepCode varchar(12),
    cPersonCode varchar(20),
    cexch_name varchar(20) NOT NULL DEFAULT '人民币',
    iExchRate numeric(18, 6) NOT NULL DEFAULT 1,
    iNatMoney numeric(18, 2) NOT NULL,
    iNatSum numeric(18, 2) NOT NULL,
    cMaker varchar(40),
    cVerifier varchar(40),
    dcreatesystime timestamp,
    ufts bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS u8.SaleBillVouchs (
    AutoID integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    SBVID integer NOT NULL,
    iSOsID integer,
    iDLsID integer,
    cInvCode varchar(20) NOT NULL,
    iQuantity numeric(18, 4) NOT NULL,      -- negative on a return
    iNatMoney numeric(18, 2) NOT NULL,
    iNatTax numeric(18, 2) NOT NULL,
    iNatSum numeric(18, 2) NOT NULL,
    cDefine26 numeric(18, 2),               -- the company's own field: cost of the whole line
    ufts bigint NOT NULL
);

-- The company's own table, as so often: U8 knows no sales quota.
CREATE TABLE IF NOT EXISTS u8.SA_SalesQuota (
    AutoID integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    cPersonCode varchar(20) NOT NULL,
    cDepCode varchar(12),
    dBegin date NOT NULL,
    dEnd date NOT NULL,
    iAmount numeric(18, 2) NOT NULL,        -- net
    ufts bigint NOT NULL,
    UNIQUE (cPersonCode, dBegin)
);

-- Stock and purchasing ------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS u8.CurrentStock (
    AutoID integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    cWhCode varchar(12) NOT NULL,
    cInvCode varchar(20) NOT NULL,
    cBatch varchar(60) NOT NULL DEFAULT '',
    cFree1 varchar(60) NOT NULL DEFAULT '',
    iQuantity numeric(18, 4) NOT NULL CHECK (iQuantity >= 0),   -- on hand
    fOutQuantity numeric(18, 4) NOT NULL DEFAULT 0,             -- approved, still to ship
    fInQuantity numeric(18, 4) NOT NULL DEFAULT 0,              -- on its way in
    fAvaQuantity numeric(18, 4) NOT NULL DEFAULT 0,             -- on hand less to ship; below 0 is short
    fStopQuantity numeric(18, 4) NOT NULL DEFAULT 0,
    ufts bigint NOT NULL,
    UNIQUE (cWhCode, cInvCode, cBatch, cFree1)
);

CREATE TABLE IF NOT EXISTS u8.RdRecord01 (
    ID integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    cCode varchar(30) NOT NULL UNIQUE,
    cVouchType varchar(10) NOT NULL DEFAULT '01',   -- 01 purchase, 34 opening balance
    dDate date NOT NULL,
    cWhCode varchar(12) NOT NULL,
    cVenCode varchar(20),
    cMaker varchar(40),
    ufts bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS u8.RdRecords01 (
    AutoID integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    ID integer NOT NULL,
    iAppAutoID integer,                     -- the requisition's line it answers
    cInvCode varchar(20) NOT NULL,
    iQuantity numeric(18, 4) NOT NULL,
    iUnitCost numeric(18, 4) NOT NULL,
    iPrice numeric(18, 2) NOT NULL,         -- net amount
    ufts bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS u8.PU_AppVouch (
    ID integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    cCode varchar(30) NOT NULL UNIQUE,
    dDate date NOT NULL,
    cPersonCode varchar(20) NOT NULL,       -- who asks
    cDepCode varchar(12) NOT NULL,
    cMaker varchar(40),
    cVerifier varchar(40),                  -- set once approved
    cCurrentAuditor varchar(20),            -- the person code it waits for
    iverifystateex smallint NOT NULL DEFAULT 0,     -- 0 not submitted, 1 waiting, 2 approved
    cCloser varchar(40),
    cMemo varchar(240),
    cMakeTime timestamp,
    cAuditTime timestamp,
    ufts bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS u8.PU_AppVouchs (
    AutoID integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    ID integer NOT NULL,
    cInvCode varchar(20) NOT NULL,
    cWhCode varchar(12),                    -- empty: bought for own use, never stocked
    fQuantity numeric(18, 4) NOT NULL,
    fUnitPrice numeric(18, 4) NOT NULL,
    fMoney numeric(18, 2) NOT NULL,         -- net
    dRequirDate date,
    iReceivedQTY numeric(18, 4) NOT NULL DEFAULT 0,
    ufts bigint NOT NULL
);

-- Money ---------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS u8.GL_accvouch (
    i_id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    iyear smallint NOT NULL,
    iperiod smallint NOT NULL,
    csign varchar(10) NOT NULL DEFAULT '记',
    ino_id integer NOT NULL,                -- voucher number within sign and period
    inid smallint NOT NULL,                 -- line within the voucher
    dbill_date date NOT NULL,
    cdigest varchar(240),
    ccode varchar(20) NOT NULL,
    md numeric(18, 2) NOT NULL DEFAULT 0,
    mc numeric(18, 2) NOT NULL DEFAULT 0,
    cdept_id varchar(12),
    cperson_id varchar(20),
    ccus_id varchar(20),
    cbill varchar(40),
    ibook smallint NOT NULL DEFAULT 0,
    iflag smallint,                         -- null valid, 1 void
    ufts bigint NOT NULL,
    UNIQUE (iyear, iperiod, csign, ino_id, inid)
);

-- An invoice books a debit, its receipts book credits against it (cCoVouchID); open = debits less credits.
CREATE TABLE IF NOT EXISTS u8.Ar_Detail (
    Auto_ID integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    cDwCode varchar(20) NOT NULL,           -- customer
    cDeptCode varchar(12),
    cPerson varchar(20),
    cVouchType varchar(10) NOT NULL,        -- 26/27 invoice, R0 receivable, 48 receipt
    cVouchID varchar(30) NOT NULL,
    cCoVouchType varchar(10) NOT NULL,
    cCoVouchID varchar(30) NOT NULL,        -- the invoice this row belongs to
    dVouchDate date NOT NULL,
    dGatheringDate date,                    -- due
    cexch_name varchar(20) NOT NULL DEFAULT '人民币',
    iExchRate numeric(18, 6) NOT NULL DEFAULT 1,
    iDAmount numeric(18, 2) NOT NULL DEFAULT 0,
    iCAmount numeric(18, 2) NOT NULL DEFAULT 0,
    cDigest varchar(240),
    ufts bigint NOT NULL
);

CREATE INDEX IF NOT EXISTS so_sodetails_id ON u8.SO_SODetails (ID);
CREATE INDEX IF NOT EXISTS dispatchlist_csocode ON u8.DispatchList (cSOCode);
CREATE INDEX IF NOT EXISTS dispatchlists_dlid ON u8.DispatchLists (DLID);
CREATE INDEX IF NOT EXISTS salebillvouchs_sbvid ON u8.SaleBillVouchs (SBVID);
CREATE INDEX IF NOT EXISTS pu_appvouchs_id ON u8.PU_AppVouchs (ID);
CREATE INDEX IF NOT EXISTS rdrecords01_id ON u8.RdRecords01 (ID);
CREATE INDEX IF NOT EXISTS ar_detail_ccovouchid ON u8.Ar_Detail (cCoVouchID);
CREATE INDEX IF NOT EXISTS gl_accvouch_dbill_date ON u8.GL_accvouch (dbill_date);

-- What still has to be done stays quick to find, however much is behind us.
CREATE INDEX IF NOT EXISTS so_somain_running ON u8.SO_SOMain (ID) WHERE cCloser IS NULL;
CREATE INDEX IF NOT EXISTS dispatchlists_unbilled ON u8.DispatchLists (DLID)
    WHERE iSettleQuantity <> iQuantity;
CREATE INDEX IF NOT EXISTS pu_appvouchs_awaited ON u8.PU_AppVouchs (ID)
    WHERE iReceivedQTY < fQuantity AND cWhCode IS NOT NULL;
CREATE INDEX IF NOT EXISTS ar_detail_cvouchid ON u8.Ar_Detail (cVouchID);
