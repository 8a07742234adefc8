"""Runs in the project's interpreter, alone: replays its history and reports what happened.

It is started as a script (`worker/__main__.py ORDER ANSWER`, two file descriptors) under a package name of
its own. It imports the standard library and the project's own Alembic and SQLAlchemy, and nothing of the
gate's: Python 3.9 to 3.14, Alembic 1.8 and later, SQLAlchemy 1.4 to 2.1. `protocol/` describes what comes
in and what goes out; stdout and stderr belong to the project's code.

    worker_start        what is imported first, and the fork for the models
    session             one order, from its start to the last line; prepare_commands, stack_dumps
    protocol            the order and every line of the answer, as types, for both ends
    answer_stream       the two pipes
    process_attributes  who may read this process's memory, and that it ends with its parent
    required_packages   the versions that are there, and what is missing
    redirection         every connection goes to the ephemeral server; driver_patches: those past SQLAlchemy
    dialect_choice      PostgreSQL and an installed driver for every engine
    attempts            a fork for each run of the project: truthful first, then with what it lacked
    retry_decision      whether another attempt may help; additions: what it is given
    startup_failure     an error before the first revision; setting_reads, setting_calls: what was asked for
    wanted_settings     what an error asks for; named_variables (dynaconf_names), refused_values: how
                        it says so; known_choices: values that the code knows
    setting_guesses     what might help after an error that names nothing
    flask_database      the address of a database for a Flask application that has none
    settings_fields     values for settings classes of pydantic; pydantic_fields, field_values
    placeholders        dummy values; pattern_sample: for a regular expression
    several_databases   an env.py that migrates more than one; step_keywords: what it tells the revisions
    import_hooks        patches a module when it is imported
    project_config      the project's Alembic configuration; relocated_imports: of another checkout
    script_history      the revisions, as Alembic reads them
    upgrade             runs env.py, one revision at a time; observed_step, session_place;
                        step_plan: in which order;
                        step_pipeline: without waiting for the answers to older ones
    state_keeping       lets the gate copy the server when the revisions that are not new have run;
                        local_settings: a COMMIT of the gate's leaves the session as it was;
                        files_read: what it depends on; module_files: of imported modules
    used_files          what the facts of the whole run depend on, if the gate may keep them;
                        program_events: of programs that the project starts
    revision_runs       runs single functions of revisions once more, when the history has run;
                        rows_function: the project's own that adds rows; run_limit: none waits for ever
    pool_guard          a fork uses no connection of the process that it comes from
    statement_recorder  statements, transactions and errors of a step; observed_blocks: caught in DO blocks
    statement_observation   has the server log the locks of looked-at revisions
    step_record         which of them are kept; statement_parameters: their values;
                        cursor_calls: those of a driver's own cursor
    model_ddl           DDL that is compiled from the project's own models; model_origins, running_frames
    column_sources      a copied column knows the one that it was copied from
    catalog_snapshot    reads the catalog on the migration's own connection; row_changes: of one revision
    own_upgrades        what the project does with the history itself, which is left out
    env_watch           errors that env.py catches, contexts that it does not run
    env_context         what env.py configured
    listener_guard      failures of the worker's own, apart from the project's
    models_run          the process that creates the models
    models_database     the models in a copy of the database; replaced_objects: what they replace there
    model_creation      creates them; model_types, moment_strings, model_locations, imported_modules,
                        mapped_tables (what statements name of them),
                        own_connection; ddl_pipeline: without waiting for each answer
    project_check       what `alembic check` says with the project's own filters and comparators:
                        project_comparison, project_filters, declared_operations
    alembic_comparison  Alembic's own comparison, if the models could not be created
    error_report        an exception as data; real_paths: the paths in it and elsewhere;
                        driver_statements: what a driver's own cursor was given
    private_api         everything private of Alembic and SQLAlchemy, with its versions
    deferred_methods    dataclasses whose methods are made when they are used: it starts sooner
"""
