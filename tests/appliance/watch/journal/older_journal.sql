-- A journal as the version before appliance.composing.wishes wrote it, dumped by sqlite3: four vocals dropped.
-- plain.wav alone; all.wav with every key of a sidecar and a chart; sub/band.wav below a folder's settings that
-- name the default sound; wrong.wav with a sidecar that asks for 0 takes. Each vocal's bytes are its stem.
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE jobs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            relpath BLOB NOT NULL,           -- the vocal, relative to the inbox
            dev INTEGER NOT NULL,
            inode INTEGER NOT NULL,
            size INTEGER NOT NULL,
            mtime_ns INTEGER NOT NULL,
            content_sha256 TEXT NOT NULL,
            key TEXT NOT NULL,               -- content, pack and settings
            settings TEXT NOT NULL,          -- JSON
            pack_sha256 TEXT NOT NULL,
            state TEXT NOT NULL,
            verdict TEXT NOT NULL,           -- of a job in 'rejecting': the state that follows
            reason TEXT NOT NULL,
            attempts INTEGER NOT NULL,
            worker_deaths INTEGER NOT NULL,
            interruptions INTEGER NOT NULL,  -- how often the whole service died while it was rendered
            next_try_s REAL NOT NULL,
            place INTEGER NOT NULL,          -- in the queue; lowest first
            wanted BLOB NOT NULL,            -- the result's folder, had nothing else its name
            name BLOB NOT NULL,              -- the result's folder, relative to the outbox
            duration_s REAL,
            progress REAL NOT NULL,
            moved_to BLOB,                   -- the vocal afterwards, relative to archive or rejected
            created_s REAL NOT NULL,
            queued_s REAL NOT NULL,
            updated_s REAL NOT NULL,
            started_s REAL,
            finished_s REAL
        );
INSERT INTO "jobs" VALUES(1,X'706C61696E2E776176',65024,2197335,5,1796008113624691598,'a116c9ed46d6207734a43317d30fd88f52ac8634c37d904bbf4e41d865f90475','25175a49be90752c119625a3856c78274c4a84200352fe35e943097baea4b915','{"seed":0,"style":"piano","takes":1}','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','waiting','','',0,0,0,1700000000.0,1,X'706C61696E',X'706C61696E',NULL,0.0,NULL,1700000000.0,1700000000.0,1700000000.0,NULL,NULL);
INSERT INTO "jobs" VALUES(2,X'616C6C2E776176',65024,2197336,3,1796008113625027355,'5ef5ef0364b6939c4ca61f34b393f7b368d1be8619647aaf83d5b395919ab629','efb67bd516cf966560e986cfbecc8cf35cc933653f573b86ddd13db249c3e964','{"bpm":92.0,"chords":"| Am | F G | C\u266fm |\n","chords_name":"ch\u00f6rt.txt","key":"F# minor","seed":7,"sound":"neural","style":"jazz","takes":3}','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','waiting','','',0,0,0,1700000000.0,2,X'616C6C',X'616C6C',NULL,0.0,NULL,1700000000.0,1700000000.0,1700000000.0,NULL,NULL);
INSERT INTO "jobs" VALUES(3,X'7375622F62616E642E776176',65024,2197340,4,1796008113630365181,'65f15ce8fee25b248445eedc63cd9a82094e35965e4ed552e195029a9311d474','904d748f4e729affcb66f2ae77f0a052c00ea5e6a6dec32cb39d3744c341fbc6','{"bpm":120.5,"seed":0,"sound":"band","style":"piano","takes":1}','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','waiting','','',0,0,0,1700000000.0,3,X'7375622F62616E64',X'7375622F62616E64',NULL,0.0,NULL,1700000000.0,1700000000.0,1700000000.0,NULL,NULL);
INSERT INTO "jobs" VALUES(4,X'77726F6E672E776176',65024,2197342,5,1796008113630863050,'8810ad581e59f2bc3928b261707a71308f7e139eb04820366dc4d5c18d980225','a45a308587cb5f6e6781276d9cb0d22754b8ca3157e5ffa4e2110ceb40f43003','{"wrong": "wrong.toml: takes: input should be greater than or equal to 1, not 0."}','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','rejecting','rejected','wrong.toml: takes: input should be greater than or equal to 1, not 0.',0,0,0,1700000000.0,4,X'77726F6E67',X'77726F6E67',NULL,0.0,NULL,1700000000.0,1700000000.0,1700000000.0,NULL,NULL);
CREATE TABLE transitions (
            id INTEGER PRIMARY KEY,
            job INTEGER NOT NULL REFERENCES jobs (id),
            at_s REAL NOT NULL,
            before TEXT NOT NULL,
            after TEXT NOT NULL,
            reason TEXT NOT NULL
        );
INSERT INTO "transitions" VALUES(1,1,1700000000.0,'','waiting','');
INSERT INTO "transitions" VALUES(2,2,1700000000.0,'','waiting','');
INSERT INTO "transitions" VALUES(3,3,1700000000.0,'','waiting','');
INSERT INTO "transitions" VALUES(4,4,1700000000.0,'','waiting','');
INSERT INTO "transitions" VALUES(5,4,1700000000.0,'waiting','rejecting','wrong.toml: takes: input should be greater than or equal to 1, not 0.');
CREATE UNIQUE INDEX jobs_key ON jobs (key, wanted);
CREATE INDEX jobs_state ON jobs (state, place);
CREATE INDEX jobs_place ON jobs (place);
CREATE INDEX jobs_relpath ON jobs (relpath);
CREATE INDEX jobs_name ON jobs (name);
CREATE INDEX transitions_job ON transitions (job);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('jobs',4);
COMMIT;
