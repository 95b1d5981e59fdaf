-- Legal changes of state, row-level security and the application's rights on tables.
--
-- The application's role sees the rows of the tenant in the setting `roost.tenant`, and no tenant's
-- rows if that is not set. Only SECURITY DEFINER functions read rows of all tenants; they return
-- ids, times and counts. Migrations run as `roost_owner`, which sees all rows.

-- A test compares these changes of state with `roost.models`. A post goes from `publishing` back to
-- `scheduled`, or to `cancelled`, only while no part of the post is on X.
CREATE TRIGGER legal_moves BEFORE UPDATE OF state ON posts FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state)
    EXECUTE FUNCTION refuse_illegal_move(
        'draft>scheduled', 'draft>cancelled',
        'scheduled>publishing', 'scheduled>cancelled', 'scheduled>failed',
        'publishing>published', 'publishing>partly_published', 'publishing>failed',
        'publishing>needs_decision', 'publishing>missed', 'publishing>scheduled',
        'publishing>cancelled',
        'needs_decision>publishing', 'needs_decision>partly_published', 'needs_decision>failed',
        'partly_published>publishing', 'partly_published>cancelled',
        'failed>scheduled', 'failed>cancelled',
        'missed>scheduled', 'missed>publishing', 'missed>cancelled');
CREATE TRIGGER legal_moves BEFORE UPDATE OF state ON parts FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state)
    EXECUTE FUNCTION refuse_illegal_move(
        'pending>sending', 'pending>failed',
        'sending>sent', 'sending>failed', 'sending>pending', 'sending>unknown',
        'unknown>sent', 'unknown>sending', 'unknown>failed',
        'failed>pending');

ALTER TABLE tenants ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON tenants TO roost_app USING (id = current_tenant());
CREATE POLICY all_rows ON tenants TO roost_owner USING (true) WITH CHECK (true);

ALTER TABLE tenant_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON tenant_keys TO roost_app
    USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());
CREATE POLICY all_rows ON tenant_keys TO roost_owner USING (true) WITH CHECK (true);

ALTER TABLE integrations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON integrations TO roost_app
    USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());
CREATE POLICY all_rows ON integrations TO roost_owner USING (true) WITH CHECK (true);

ALTER TABLE oauth_flows ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON oauth_flows TO roost_app
    USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());
CREATE POLICY all_rows ON oauth_flows TO roost_owner USING (true) WITH CHECK (true);

ALTER TABLE posts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON posts TO roost_app
    USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());
CREATE POLICY all_rows ON posts TO roost_owner USING (true) WITH CHECK (true);

ALTER TABLE parts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON parts TO roost_app
    USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());
CREATE POLICY all_rows ON parts TO roost_owner USING (true) WITH CHECK (true);

ALTER TABLE attempts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON attempts TO roost_app
    USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());
CREATE POLICY all_rows ON attempts TO roost_owner USING (true) WITH CHECK (true);

ALTER TABLE media_assets ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON media_assets TO roost_app
    USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());
CREATE POLICY all_rows ON media_assets TO roost_owner USING (true) WITH CHECK (true);

ALTER TABLE uploads ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON uploads TO roost_app
    USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());
CREATE POLICY all_rows ON uploads TO roost_owner USING (true) WITH CHECK (true);

ALTER TABLE events ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON events TO roost_app
    USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());
CREATE POLICY all_rows ON events TO roost_owner USING (true) WITH CHECK (true);

ALTER TABLE account_snapshots ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON account_snapshots TO roost_app
    USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());
CREATE POLICY all_rows ON account_snapshots TO roost_owner USING (true) WITH CHECK (true);

ALTER TABLE post_snapshots ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON post_snapshots TO roost_app
    USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());
CREATE POLICY all_rows ON post_snapshots TO roost_owner USING (true) WITH CHECK (true);

ALTER TABLE ledger ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON ledger TO roost_app
    USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());
CREATE POLICY all_rows ON ledger TO roost_owner USING (true) WITH CHECK (true);

ALTER TABLE drafts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON drafts TO roost_app
    USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());
CREATE POLICY all_rows ON drafts TO roost_owner USING (true) WITH CHECK (true);

ALTER TABLE draft_revisions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON draft_revisions TO roost_app
    USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());
CREATE POLICY all_rows ON draft_revisions TO roost_owner USING (true) WITH CHECK (true);

ALTER TABLE model_calls ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON model_calls TO roost_app
    USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());
CREATE POLICY all_rows ON model_calls TO roost_owner USING (true) WITH CHECK (true);

ALTER TABLE anomalies ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON anomalies TO roost_app
    USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());
CREATE POLICY all_rows ON anomalies TO roost_owner USING (true) WITH CHECK (true);

ALTER TABLE reports ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON reports TO roost_app
    USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());
CREATE POLICY all_rows ON reports TO roost_owner USING (true) WITH CHECK (true);

ALTER TABLE report_schedules ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON report_schedules TO roost_app
    USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());
CREATE POLICY all_rows ON report_schedules TO roost_owner USING (true) WITH CHECK (true);

-- A row of `alerts` or `pause_log` without a tenant concerns every tenant.
ALTER TABLE alerts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON alerts TO roost_app
    USING (tenant_id IS NULL OR tenant_id = current_tenant())
    WITH CHECK (tenant_id IS NULL OR tenant_id = current_tenant());
CREATE POLICY all_rows ON alerts TO roost_owner USING (true) WITH CHECK (true);

ALTER TABLE pause_log ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON pause_log TO roost_app
    USING (tenant_id IS NULL OR tenant_id = current_tenant())
    WITH CHECK (tenant_id IS NULL OR tenant_id = current_tenant());
CREATE POLICY all_rows ON pause_log TO roost_owner USING (true) WITH CHECK (true);

-- The application gets no right on the tables that are not named below: only functions of the owner
-- use them. The application reads and writes the tables of the job engine.
GRANT USAGE ON SCHEMA roost TO roost_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON
    tenant_keys, integrations, oauth_flows, posts, parts, attempts, media_assets, uploads, events,
    account_snapshots, post_snapshots, ledger, billed_reads, anomalies, alerts, app_backoffs,
    rate_windows,
    procrastinate_jobs, procrastinate_events, procrastinate_periodic_defers, procrastinate_workers
    TO roost_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA roost TO roost_app;
GRANT SELECT ON tenants, alembic_version, sendable_accounts TO roost_app;
-- The application may change only these settings of a tenant, and not, for example, its name.
GRANT UPDATE (paused, drafts_without_person, report_title, report_note, report_accent,
              report_language, report_logo, report_logo_type) ON tenants TO roost_app;
-- A revision never changes. A call to a model is settled, and is never deleted.
GRANT SELECT, INSERT, UPDATE ON drafts TO roost_app;
GRANT SELECT, INSERT ON draft_revisions TO roost_app;
GRANT SELECT, INSERT ON model_calls TO roost_app;
GRANT UPDATE (tokens, usd) ON model_calls TO roost_app;
-- A report never changes. A schedule is removed by a mark, because its reports name it.
GRANT SELECT, INSERT ON reports TO roost_app;
GRANT SELECT, INSERT ON report_schedules TO roost_app;
GRANT UPDATE (next_at, due_at, failure, removed_at) ON report_schedules TO roost_app;
GRANT SELECT, INSERT ON pause_log TO roost_app;
GRANT SELECT, UPDATE ON global_pause, installation TO roost_app;
