"""One project, from its settings to its facts.

`examination` is the whole way, in reading order; `examination_on_server` is its second half. What they use:

    server_preparation  which server the run has, and what it is made from; production_server: preferred
    project_run         what the parts of one examination share
    repeated_facts      the facts of an earlier run, where nothing that they depend on has changed
    restored_state      what a run has of the earlier one whose checkpoint it begins from
    replay_setup        what one replay works with; database_choice: one run for each of several databases
    initial_state       the database before the first revision; dump_restore, older_models: `start_from:`
    history_run         the worker's run; repository_text: what is read beside it
    history_end         what is done when the last revision has run; models_request: the models
    rollback_run        downgrades revisions when the history has run, and upgrades them again: round_trip,
                        runs_channel, rollback_state, rollback_tables, history_prefix, rollback_proof
    lock_table          a server with no room for a lock that the migrations take
    trial_errors        errors in the gate's own sessions that the project's objects cause
    rehearsal_run       runs the new revisions with rows; base_database: the database before them;
                        filled_copy: with rows; early_filling: made early; wanted_rows: which;
                        own_rows: rows of the project's, sql_rows: from a file; null_rows: which row it is;
                        newer_rows: those that only the newer schema allows;
                        loss_causes: which statement it was; loss_search: by the rows after each of them,
                        which row_watch keeps; written_rows: by which statements
    release_trial       the live release on the schema of the change
    owner_trials        what is tried with owners and their rows in the replayed database
    env_trial           env.py without a step: `doctor --try`

    worker_process      the worker in its sandbox; worker_order: what it is told; confinement: kept from what
    worker_answer_stream    its lines as they come, within the time limits; answer_lines: each validated;
                        worker_position: how far it has come
    worker_answer       the lines as facts, by history_facts, step_facts, model_facts and failure_facts;
                        repository_paths: files as reports name them
    replay_reading      the facts of a replay that has ended, and whether it took place in our database
    replay_facts        all facts of a replay together; models_notes: what is to be said of the models

    ddl_log             which revision changed what: event triggers; statement_lines: at which line
    skipped_creations   statements that created nothing, because something had the name
    caught_error_log    errors that nobody saw, caught_in_blocks of PL/pgSQL or caught_by_cursors
    observation_log     what looked-at revisions lock and do, in the server's log; work_messages: its words
    second_observation  from the base, where locks could not be told apart
    observed_statements     that log as facts: observed_session, observed_work, observed_sql; statement_book;
                        cursor_lines: of drivers' own cursors;
                        item_lists, session_locks: long lists; late_readings: what was not read at once;
                        foreign_key_tables: whose keys those are that a message only names;
                        observation_gaps: what was not seen; second_opinion: of a linter
    size_use            how long that takes with production's rows; calibration: how fast this machine is
    sent_ahead          statements that the worker sent before the one before was answered
    server_log          the server's log; lock_waits: who waited for whom;
                        server_watch: a server that ended in the middle

    effectless_statements   statements that only read: one that failed left nothing out
    verification        proves that the replay took place in our database
    startup_errors      why a worker ended before the first revision (early_end); crash_report: a dead one
    startup_advice      what to do then: setting_advice, argument_advice (argument_names, setting_uses),
                        database_advice, machine_advice (dummy_files), required_python;
                        database_looks: what the project refuses the database for (failed_statement)

    offered_fixes       the fixes of the differences, each run before it is shown (fix_verification)
    dropped_name_uses   where the repository's Python uses what a fix would drop
    declared_fixes      what the project declares beside its models, with them
    fix_trial           a database in which nothing stays; revision_interpreter runs the lines there
    fix_outcome         what is wrong afterwards; catalog_losses; lone_fixes: without the other fixes
    rename_trial        renames that may be meant; dependent_fixes, tenant_fixes: further kinds of fixes
"""
